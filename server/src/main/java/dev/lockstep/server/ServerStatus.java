package dev.lockstep.server;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLog;
import dev.lockstep.stream.RefusalReport;
import dev.lockstep.stream.ReplicaStatus;
import java.util.List;
import java.util.UUID;

/**
 * What a server says of itself.
 *
 * @param version of Lockstep there
 * @param timeMillis the server's clock, ms since 1970
 */
public record ServerStatus(String version, long timeMillis, List<Database> databases) {

    /**
     * One database.
     *
     * @param head the last transaction captured
     * @param durable the last transaction that survives a loss of power
     * @param refusals replicas that stopped for good or were turned away, the newest last
     */
    public record Database(
            String name,
            UUID logId,
            int pageSize,
            CommitRecord head,
            CommitRecord durable,
            FrameLog.Extent log,
            Capture capture,
            List<ReplicaStatus> replicas,
            List<RefusalReport> refusals) {}

    /**
     * What the capture is doing.
     *
     * @param state CAPTURING, FAILED or CLOSED, or UNKNOWN
     * @param failure why it does not run, or empty
     */
    public record Capture(String state, String failure) {}
}
