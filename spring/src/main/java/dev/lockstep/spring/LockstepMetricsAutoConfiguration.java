package dev.lockstep.spring;

import dev.lockstep.Primary;
import dev.lockstep.Replica;
import dev.lockstep.server.LockstepServer;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** Metrics of a primary and a replica, where Micrometer is on the class path. */
@AutoConfiguration(after = LockstepAutoConfiguration.class)
@ConditionalOnClass(MeterBinder.class)
public final class LockstepMetricsAutoConfiguration {

    @Bean
    @ConditionalOnBean(Primary.class)
    @ConditionalOnMissingBean(name = "lockstepPrimaryMetrics")
    MeterBinder lockstepPrimaryMetrics(Primary primary, ObjectProvider<LockstepServer> server) {
        return new PrimaryMetrics(primary, server.getIfAvailable());
    }

    @Bean
    @ConditionalOnBean(Replica.class)
    @ConditionalOnMissingBean(name = "lockstepReplicaMetrics")
    MeterBinder lockstepReplicaMetrics(Replica replica) {
        return new ReplicaMetrics(replica);
    }
}
