package dev.lockstep.spring;

import dev.lockstep.Primary;
import dev.lockstep.Replica;
import dev.lockstep.UnavailableException;
import dev.lockstep.server.LockstepServer;
import java.nio.file.Path;
import java.time.Duration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/** An application with all that Spring Boot configures by itself. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import(Notes.class)
class NotesApplication {

    static ConfigurableApplicationContext start(String... properties) {
        return new SpringApplicationBuilder(NotesApplication.class)
                .web(WebApplicationType.NONE)
                .properties("spring.main.banner-mode=off", "management.endpoint.health.show-details=always")
                .properties(properties)
                .run();
    }

    static ConfigurableApplicationContext startPrimary(Path database) {
        return start("lockstep.database=" + database, "lockstep.listen=127.0.0.1:0");
    }

    static ConfigurableApplicationContext startReplica(Path database, ConfigurableApplicationContext primary) {
        int port = primary.getBean(LockstepServer.class).port();
        return start(
                "lockstep.database=" + database,
                "lockstep.primary=http://127.0.0.1:" + port + "/app",
                "spring.flyway.enabled=false");
    }

    /** Waits until the replica has what was committed on the primary. */
    static void awaitInStep(ConfigurableApplicationContext primary, ConfigurableApplicationContext replica)
            throws UnavailableException, InterruptedException {
        Duration patience = Duration.ofSeconds(30);
        long frame = primary.getBean(Primary.class).awaitCaptured(patience).frameNo();
        if (!replica.getBean(Replica.class).awaitFrame(frame, patience)) {
            throw new AssertionError("frame " + frame + " did not arrive: "
                    + replica.getBean(Replica.class).status());
        }
    }
}
