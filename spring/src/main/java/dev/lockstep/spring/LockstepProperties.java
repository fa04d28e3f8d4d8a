package dev.lockstep.spring;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What is configured.
 *
 * @param database Path of the SQLite database in this process. Nothing is configured without it.
 * @param primary URL of the primary, http://HOST:PORT/NAME. Makes the database a replica of it; without it, the database is a primary.
 * @param listen HOST:PORT where a primary serves its replicas, and runs SQL for whoever can connect. Not at all when empty.
 * @param authJwtKeyFile File of public keys (PEM); who connects at listen then needs a token signed with one of them.
 * @param name What replicas call the primary's database, by default the file's name without extension; or what the primary's status calls
 *     a replica.
 * @param options Options of the connections: Lockstep's (timeout, maxLag, ack, ...) and sqlite-jdbc's (foreign_keys, ...).
 */
@ConfigurationProperties("lockstep")
record LockstepProperties(
        @Nullable String database,
        @Nullable String primary,
        @Nullable String listen,
        @Nullable String authJwtKeyFile,
        @Nullable String name,
        @DefaultValue Map<String, String> options,
        @DefaultValue Health health) {

    /**
     * When a replica is healthy.
     *
     * @param maxLag How far behind the primary a replica may be and still take requests. Any lag will do when empty.
     */
    record Health(@Nullable Duration maxLag) {}
}
