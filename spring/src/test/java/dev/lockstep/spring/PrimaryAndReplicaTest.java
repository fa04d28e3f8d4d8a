package dev.lockstep.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.lockstep.Primary;
import dev.lockstep.jdbc.LockstepConnection;
import dev.lockstep.server.LockstepServer;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Two applications of Spring Boot, with Flyway, Hibernate and Jdbi, one on a primary and one on its replica. */
class PrimaryAndReplicaTest {

    private static final Instant NOON = Instant.parse("2026-11-25T12:00:00Z");

    @TempDir
    static Path directory;

    private static ConfigurableApplicationContext primary;
    private static ConfigurableApplicationContext replica;

    @BeforeAll
    static void start() {
        primary = NotesApplication.startPrimary(directory.resolve("app.db"));
        replica = NotesApplication.startReplica(directory.resolve("copy.db"), primary);
    }

    @AfterAll
    static void stop() {
        replica.close();
        primary.close();
    }

    private static Notes notes(ConfigurableApplicationContext context) {
        return context.getBean(Notes.class);
    }

    private static JdbcTemplate jdbc(ConfigurableApplicationContext context) {
        return context.getBean(JdbcTemplate.class);
    }

    @Test
    void whatFlywayDidOnThePrimaryIsOnTheReplica() {
        assertThat(jdbc(replica).queryForList("SELECT version FROM flyway_schema_history WHERE success", String.class))
                .containsExactly("1");
    }

    @Test
    void whatFlywayDoesOnTheReplicaHappensOnThePrimary() {
        Flyway flyway = Flyway.configure()
                .dataSource(replica.getBean(DataSource.class))
                .locations("classpath:db/later")
                .table("later_history")
                .baselineOnMigrate(true)
                .baselineVersion("0")
                .load();
        assertThat(flyway.migrate().migrationsExecuted).isOne();
        assertThat(flyway.validateWithResult().validationSuccessful).isTrue();
        assertThat(notes(primary).count("migrated")).isOne();
        assertThat(jdbc(replica).queryForList("SELECT name FROM pragma_index_list('tag')", String.class))
                .contains("tag_note");
    }

    @Test
    void aUrlWithItsDriverIsARemoteDataSourceOfSpring() {
        new ApplicationContextRunner()
                .withConfiguration(
                        AutoConfigurations.of(DataSourceAutoConfiguration.class, FlywayAutoConfiguration.class))
                .withPropertyValues(
                        "spring.datasource.url=" + remoteUrl(),
                        "spring.datasource.driver-class-name=dev.lockstep.jdbc.LockstepDriver")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(context.getBean(Flyway.class).info().current().getVersion())
                            .hasToString("1");
                });
    }

    private static String remoteUrl() {
        return "jdbc:lockstep:http://127.0.0.1:"
                + primary.getBean(LockstepServer.class).port() + "/app";
    }

    @Test
    void aPoolHandsOutConnectionsWithoutTheirPast() throws SQLException {
        try (HikariDataSource remote = new HikariDataSource()) {
            remote.setJdbcUrl(remoteUrl());
            for (DataSource pool :
                    List.of(primary.getBean(DataSource.class), replica.getBean(DataSource.class), remote)) {
                try (Connection left = pool.getConnection()) {
                    left.setAutoCommit(false);
                    left.createStatement().executeUpdate("INSERT INTO note (text, created) VALUES ('abandoned', 0)");
                }
                try (Connection left = pool.getConnection()) {
                    left.setReadOnly(true);
                }
                try (Connection next = pool.getConnection()) {
                    assertThat(next.getAutoCommit()).isTrue();
                    assertThat(next.isReadOnly()).isFalse();
                    next.createStatement().executeUpdate("INSERT INTO note (text, created) VALUES ('kept', 0)");
                }
            }
        }
        assertThat(notes(replica).count("abandoned")).isZero();
        assertThat(notes(primary).count("kept")).isEqualTo(3);
    }

    @Test
    void whatHibernateWritesOnTheReplicaIsOnThePrimaryAndReadableHereAtOnce() {
        long id = notes(replica).add("from the replica", NOON);
        assertThat(notes(replica).find(id).created()).isEqualTo(NOON);
        assertThat(notes(primary).find(id).text()).isEqualTo("from the replica");
        notes(replica).change(id, "changed on the replica");
        assertThat(notes(replica).find(id).text()).isEqualTo("changed on the replica");
        assertThat(notes(primary).find(id).text()).isEqualTo("changed on the replica");
    }

    @Test
    void aTransactionThatFailsOnTheReplicaLeavesNothing() {
        assertThatThrownBy(() -> notes(replica).addAndFail("undone")).hasMessage("on purpose");
        assertThat(notes(primary).count("undone")).isZero();
        assertThat(notes(replica).count("undone")).isZero();
    }

    @Test
    void aReadOnlyTransactionRunsOnOneSnapshotHereAndRefusesWrites() {
        TransactionTemplate readOnly =
                new TransactionTemplate(new JdbcTransactionManager(replica.getBean(DataSource.class)));
        readOnly.setReadOnly(true);
        readOnly.executeWithoutResult(status -> {
            assertThat(count("SELECT count(*) FROM note WHERE text = 'meanwhile'"))
                    .isZero();
            CompletableFuture.runAsync(PrimaryAndReplicaTest::addMeanwhile).join();
            assertThat(count("SELECT count(*) FROM note WHERE text = 'meanwhile'"))
                    .isZero();
            assertThatThrownBy(() -> jdbc(replica).update("DELETE FROM note"))
                    .hasMessageContaining("read-only (setReadOnly(true))");
        });
        assertThat(count("SELECT count(*) FROM note WHERE text = 'meanwhile'")).isOne();
    }

    private static long count(String sql) {
        return Objects.requireNonNull(jdbc(replica).queryForObject(sql, Long.class));
    }

    private static void addMeanwhile() {
        notes(primary).add("meanwhile", NOON);
        try {
            NotesApplication.awaitInStep(primary, replica);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void jdbiWritesThroughTheReplica() {
        Jdbi jdbi = Jdbi.create(replica.getBean(DataSource.class));
        int id = jdbi.inTransaction(
                handle -> handle.createUpdate("INSERT INTO note (text, created) VALUES (:text, :created)")
                        .bind("text", "jdbi")
                        .bind("created", 0)
                        .executeAndReturnGeneratedKeys("id")
                        .mapTo(Integer.class)
                        .one());
        assertThat(notes(primary).find(id).text()).isEqualTo("jdbi");
        String read = jdbi.withHandle(handle -> handle.createQuery("SELECT text FROM note WHERE id = ?")
                .bind(0, id)
                .mapTo(String.class)
                .one());
        assertThat(read).isEqualTo("jdbi");
    }

    @Test
    void aTokenOfThePrimaryIsGoodOnTheReplica() throws SQLException {
        long id = notes(primary).add("carried", NOON);
        try (Connection there = primary.getBean(DataSource.class).getConnection();
                Connection here = replica.getBean(DataSource.class).getConnection()) {
            String token = there.unwrap(LockstepConnection.class).position().token();
            here.unwrap(LockstepConnection.class).awaitPosition(token);
        }
        assertThat(notes(replica).find(id).text()).isEqualTo("carried");
    }

    @Test
    void bothAreHealthyAndSayWhereTheyAre() {
        assertThat(primary.getBean(HealthEndpoint.class).health().getStatus()).isEqualTo(Status.UP);
        assertThat(replica.getBean(HealthEndpoint.class).health().getStatus()).isEqualTo(Status.UP);
        assertThat(health(primary, "lockstepPrimary").getDetails())
                .containsEntry("state", Primary.State.CAPTURING)
                .containsKeys("frame", "durableFrame");
        assertThat(health(replica, "lockstepReplica").getDetails())
                .containsEntry("connected", true)
                .containsKeys("frame", "primaryFrame");
    }

    private static Health health(ConfigurableApplicationContext context, String name) {
        return Objects.requireNonNull(
                context.getBean(name + "HealthIndicator", HealthIndicator.class).health());
    }

    @Test
    void bothCountWhatTheyDo() throws Exception {
        notes(primary).add("counted", NOON);
        NotesApplication.awaitInStep(primary, replica);
        assertThat(metric(primary, "lockstep.primary.capturing")).isOne();
        assertThat(metric(primary, "lockstep.primary.replicas")).isOne();
        assertThat(metric(primary, "lockstep.primary.log")).isPositive();
        assertThat(metric(replica, "lockstep.replica.following")).isOne();
        assertThat(metric(replica, "lockstep.replica.received")).isPositive();
        assertThat(metric(replica, "lockstep.replica.frame")).isEqualTo(metric(primary, "lockstep.primary.frame"));
    }

    private static double metric(ConfigurableApplicationContext context, String name) {
        return context.getBean(MeterRegistry.class)
                .get(name)
                .meter()
                .measure()
                .iterator()
                .next()
                .getValue();
    }
}
