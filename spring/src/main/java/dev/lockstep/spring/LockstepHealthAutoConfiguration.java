package dev.lockstep.spring;

import dev.lockstep.Primary;
import dev.lockstep.Replica;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/** Health of a primary and a replica, where Spring Boot's health is on the class path. */
@AutoConfiguration(after = LockstepAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnEnabledHealthIndicator("lockstep")
@EnableConfigurationProperties(LockstepProperties.class)
public final class LockstepHealthAutoConfiguration {

    @Bean
    @ConditionalOnBean(Primary.class)
    @ConditionalOnMissingBean(name = "lockstepPrimaryHealthIndicator")
    HealthIndicator lockstepPrimaryHealthIndicator(Primary primary) {
        return new PrimaryHealthIndicator(primary);
    }

    @Bean
    @ConditionalOnBean(Replica.class)
    @ConditionalOnMissingBean(name = "lockstepReplicaHealthIndicator")
    HealthIndicator lockstepReplicaHealthIndicator(Replica replica, LockstepProperties properties) {
        return new ReplicaHealthIndicator(replica, properties.health().maxLag());
    }
}
