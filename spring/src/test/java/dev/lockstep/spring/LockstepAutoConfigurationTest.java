package dev.lockstep.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.SQLExceptionOverride;
import dev.lockstep.Position;
import dev.lockstep.Primary;
import dev.lockstep.Replica;
import dev.lockstep.jdbc.LockstepDataSource;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.testing.JwtSigner;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.JdbcTemplate;

/** Which beans there are, by properties, class path, and beans of the application. */
class LockstepAutoConfigurationTest {

    @TempDir
    Path directory;

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    LockstepAutoConfiguration.class,
                    LockstepHealthAutoConfiguration.class,
                    LockstepMetricsAutoConfiguration.class,
                    DataSourceAutoConfiguration.class,
                    JdbcTemplateAutoConfiguration.class));

    private ApplicationContextRunner primary() {
        return runner.withPropertyValues("lockstep.database=" + directory.resolve("app.db"));
    }

    @Test
    void withoutADatabaseThereIsNothing() {
        runner.withPropertyValues("spring.datasource.url=jdbc:sqlite::memory:")
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasSingleBean(DataSource.class)
                        .doesNotHaveBean(Primary.class)
                        .doesNotHaveBean(Replica.class)
                        .doesNotHaveBean(HealthIndicator.class)
                        .doesNotHaveBean(MeterBinder.class));
    }

    @Test
    void aPrimaryDoesNotListenUnlessToldAndTakesItsOptionsFromProperties() {
        primary()
                .withPropertyValues(
                        "lockstep.primary=",
                        "lockstep.name=orders",
                        "lockstep.options.foreign_keys=true",
                        "spring.datasource.hikari.maximum-pool-size=2")
                .run(context -> {
                    assertThat(context)
                            .hasSingleBean(DataSource.class)
                            .hasSingleBean(HealthIndicator.class)
                            .hasSingleBean(MeterBinder.class)
                            .doesNotHaveBean(LockstepServer.class)
                            .doesNotHaveBean(Replica.class);
                    assertThat(context.getBean(Primary.class).name()).isEqualTo("orders");
                    assertThat(context.getBean(HikariDataSource.class).getMaximumPoolSize())
                            .isEqualTo(2);
                    JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
                    assertThat(jdbc.queryForObject("PRAGMA foreign_keys", Integer.class))
                            .isEqualTo(1);
                });
    }

    @Test
    void aClosedContextHasLetGoOfTheDatabase() {
        for (int round = 1; round <= 2; round++) {
            int expected = round;
            primary().run(context -> {
                JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
                jdbc.execute("CREATE TABLE IF NOT EXISTS t (a)");
                jdbc.update("INSERT INTO t VALUES (1)");
                assertThat(jdbc.queryForObject("SELECT count(*) FROM t", Integer.class))
                        .isEqualTo(expected);
            });
        }
    }

    @Test
    void whatOpensThePrimaryIsNoOptionOfConnections() {
        primary()
                .withPropertyValues("lockstep.options.listen=127.0.0.1:0")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("option listen comes too late"));
    }

    @Test
    void aReplicaShowsItsTokenToAPrimaryThatAsksForOne() throws IOException {
        JwtSigner signer = JwtSigner.ed25519();
        primary()
                .withPropertyValues(
                        "lockstep.listen=127.0.0.1:0", "lockstep.auth-jwt-key-file=" + signer.writePem(directory))
                .run(served -> replica(served.getBean(LockstepServer.class).port())
                        .withPropertyValues("lockstep.options.authToken=" + signer.sign("{}"))
                        .run(context -> {
                            JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
                            jdbc.execute("CREATE TABLE t (a)");
                            assertThat(jdbc.queryForObject("SELECT count(*) FROM t", Integer.class))
                                    .isZero();
                        }));
    }

    private ApplicationContextRunner replica(int port) {
        return runner.withPropertyValues(
                "lockstep.database=" + directory.resolve("copy.db"), "lockstep.primary=http://127.0.0.1:" + port);
    }

    @Test
    void beansOfTheApplicationComeFirst() throws IOException, SQLException {
        try (Primary own = Primary.of(directory.resolve("own.db")).open()) {
            DataSource pool = LockstepDataSource.of(own, new Properties());
            primary()
                    .withBean(Primary.class, () -> own)
                    .withBean(DataSource.class, () -> pool)
                    .run(context -> {
                        assertThat(context.getBean(Primary.class)).isSameAs(own);
                        assertThat(context.getBean(DataSource.class)).isSameAs(pool);
                    });
        }
    }

    @Test
    void aListenerOfTheApplicationIsTold() {
        CountDownLatch durable = new CountDownLatch(1);
        Primary.Listener listener = new Primary.Listener() {
            @Override
            public void durable(Position position) {
                durable.countDown();
            }
        };
        primary().withBean(Primary.Listener.class, () -> listener).run(context -> {
            context.getBean(JdbcTemplate.class).execute("CREATE TABLE t (a)");
            assertThat(durable.await(30, TimeUnit.SECONDS)).isTrue();
        });
    }

    @Test
    void healthAndMetricsAreThereOnlyWithTheirLibraries() {
        primary()
                .withClassLoader(new FilteredClassLoader(HealthIndicator.class, MeterBinder.class))
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasSingleBean(Primary.class)
                        .doesNotHaveBean("lockstepPrimaryHealthIndicator")
                        .doesNotHaveBean("lockstepPrimaryMetrics"));
        primary()
                .withPropertyValues("management.health.lockstep.enabled=false")
                .run(context -> assertThat(context).doesNotHaveBean(HealthIndicator.class));
    }

    @Test
    void aConnectionOutlivesAPrimaryThatCannotBeReached() {
        KeepsLocalConnections judge = new KeepsLocalConnections();
        assertThat(judge.adjudicate(new SQLTransientConnectionException("not reached", "08001")))
                .isEqualTo(SQLExceptionOverride.Override.DO_NOT_EVICT);
        assertThat(judge.adjudicate(new SQLException("broken", "08006")))
                .isEqualTo(SQLExceptionOverride.Override.CONTINUE_EVICT);
        primary()
                .run(context -> assertThat(
                                context.getBean(HikariDataSource.class).getExceptionOverride())
                        .isInstanceOf(KeepsLocalConnections.class));
    }
}
