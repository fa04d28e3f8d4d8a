package dev.lockstep.spring;

import com.zaxxer.hikari.HikariDataSource;
import dev.lockstep.Primary;
import dev.lockstep.Replica;
import dev.lockstep.jdbc.LockstepDataSource;
import dev.lockstep.server.ListenAddress;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.RemotePrimary;
import dev.lockstep.server.sql.SqlLimits;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Objects;
import java.util.Properties;
import javax.sql.DataSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.util.StringUtils;

/**
 * Opens the database of property {@code lockstep.database} as a primary, or with {@code lockstep.primary} as a replica, and gives a pool of
 * connections to it. Each bean gives way to one of the same type that the application defines.
 *
 * <p>When the context is closed, the pool ends first, then the server, then the primary or replica.
 */
@AutoConfiguration(before = DataSourceAutoConfiguration.class)
@ConditionalOnSetting("lockstep.database")
@EnableConfigurationProperties(LockstepProperties.class)
public final class LockstepAutoConfiguration {

    private static Path database(LockstepProperties properties) {
        return Path.of(Objects.requireNonNull(properties.database()));
    }

    private static Properties options(LockstepProperties properties) {
        Properties options = new Properties();
        options.putAll(properties.options());
        return options;
    }

    /** A bean that is no data source, so that there is one only: the pool. */
    record Unpooled(LockstepDataSource connections) {}

    @Bean
    @ConditionalOnMissingBean(DataSource.class)
    @ConfigurationProperties("spring.datasource.hikari")
    HikariDataSource dataSource(Unpooled unpooled) {
        HikariDataSource pool = new HikariDataSource();
        pool.setDataSource(unpooled.connections());
        pool.setExceptionOverride(new KeepsLocalConnections());
        return pool;
    }

    /** The database is captured, and served if it is to listen. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnSetting(value = "lockstep.primary", set = false)
    static class PrimaryConfiguration {

        @Bean
        @ConditionalOnMissingBean
        Primary lockstepPrimary(LockstepProperties properties, ObjectProvider<Primary.Listener> listener)
                throws IOException {
            Primary.Builder builder = Primary.of(database(properties));
            if (StringUtils.hasText(properties.name())) {
                builder.name(properties.name());
            }
            listener.ifAvailable(builder::listener);
            return builder.open();
        }

        @Bean
        @ConditionalOnMissingBean
        @ConditionalOnSetting("lockstep.listen")
        LockstepServer lockstepServer(Primary primary, LockstepProperties properties) throws IOException {
            LockstepServer.Builder server = LockstepServer.builder()
                    .listen(ListenAddress.parse(Objects.requireNonNull(properties.listen())))
                    .database(primary)
                    .sql(SqlLimits.defaults());
            if (StringUtils.hasText(properties.authJwtKeyFile())) {
                server.authJwtKey(Path.of(properties.authJwtKeyFile()));
            }
            return server.start();
        }

        @Bean
        Unpooled lockstepConnections(Primary primary, LockstepProperties properties) throws SQLException {
            return new Unpooled(LockstepDataSource.of(primary, options(properties)));
        }
    }

    /** The database follows a primary, which executes its writes. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnSetting("lockstep.primary")
    static class ReplicaConfiguration {

        @Bean
        @ConditionalOnMissingBean
        RemotePrimary lockstepRemotePrimary(LockstepProperties properties) {
            return RemotePrimary.builder(Objects.requireNonNull(properties.primary()))
                    .authToken(properties.options().get("authToken"))
                    .build();
        }

        @Bean
        @ConditionalOnMissingBean
        Replica lockstepReplica(
                RemotePrimary primary, LockstepProperties properties, ObjectProvider<Replica.Listener> listener)
                throws IOException {
            Replica.Builder builder = Replica.of(database(properties), primary);
            if (StringUtils.hasText(properties.name())) {
                builder.name(properties.name());
            }
            listener.ifAvailable(builder::listener);
            return builder.open();
        }

        @Bean
        Unpooled lockstepConnections(Replica replica, LockstepProperties properties) throws SQLException {
            return new Unpooled(
                    LockstepDataSource.of(replica, Objects.requireNonNull(properties.primary()), options(properties)));
        }
    }
}
