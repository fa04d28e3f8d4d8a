package dev.lockstep.stream;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A replica that stopped for good, or was turned away.
 *
 * @param byPrimary true if the primary turned the replica away; false if the replica refused what it was sent
 * @param kind a {@link dev.lockstep.RefusedException.Kind}, a {@link ToReplica.Refused.Reason}, or another short name
 */
public record RefusalReport(
        long timeMillis,
        @Nullable UUID replicaId,
        String replicaName,
        String address,
        boolean byPrimary,
        String kind,
        String expected,
        String found,
        String message) {}
