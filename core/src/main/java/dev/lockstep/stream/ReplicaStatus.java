package dev.lockstep.stream;

import dev.lockstep.stream.ToPrimary.Hello;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A connected replica, as its primary sees it.
 *
 * @param state COPYING, FOLLOWING or another state of the session
 * @param sent the last frame sent
 * @param durable the last frame that it said survives a loss of power there
 * @param applied the last frame that it said its readers see
 * @param lagFrames frames of the primary's head that it has not applied
 * @param lagMillis age of the oldest transaction that it was sent and has not applied, 0 when there is none
 * @param sentBytes frames and pages in this session
 * @param unacknowledgedBytes sent and not yet taken in
 * @param bytesPerSecond over the session
 */
public record ReplicaStatus(
        @Nullable UUID id,
        String name,
        String address,
        String state,
        long sent,
        long durable,
        long applied,
        long lagFrames,
        long lagMillis,
        long sentBytes,
        long unacknowledgedBytes,
        long bytesPerSecond,
        long connectedSinceMillis) {

    static ReplicaStatus of(
            @Nullable Hello hello, String address, SenderProgress progress, long since, long head, long now) {
        long lagMillis = progress.unappliedSinceMillis() < 0 ? 0 : Math.max(0, now - progress.unappliedSinceMillis());
        return new ReplicaStatus(
                hello == null ? null : hello.replicaId(),
                hello == null ? "" : hello.replicaName(),
                address,
                progress.state().name(),
                progress.sent(),
                progress.ack().durable(),
                progress.ack().applied(),
                Math.max(0, head - progress.ack().applied()),
                lagMillis,
                progress.sentBytes(),
                progress.sentBytes() - progress.ack().received(),
                progress.sentBytes() * 1000 / Math.max(1, now - since),
                since);
    }
}
