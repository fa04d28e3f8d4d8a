package dev.lockstep.stream;

import java.time.Duration;

/**
 * How a primary serves its replicas.
 *
 * @param messageBytes frames or pages in one message; one frame at least
 * @param windowBytes sent and not yet acknowledged by one replica, which bounds what a replica that stops reading costs
 * @param heartbeat a sign of life is sent after this much silence
 * @param silence a replica that said nothing for so long is taken for dead
 * @param holdBytes how far behind a connected replica may fall before the log no longer keeps frames for it
 * @param maxReplicas connected at once, for one database
 * @param eager ship what is captured at once, before it is durable here: a crash of this machine can then leave replicas ahead
 */
public record SenderOptions(
        int messageBytes,
        long windowBytes,
        Duration heartbeat,
        Duration silence,
        long holdBytes,
        int maxReplicas,
        boolean eager) {

    /** What one message may hold at most, whatever the options of the other side: a receiver refuses more. */
    public static final int MAX_MESSAGE_BYTES = 1 << 20;

    public SenderOptions {
        if (messageBytes < 1 || messageBytes > MAX_MESSAGE_BYTES) {
            throw new IllegalArgumentException(
                    "message of " + messageBytes + " bytes: 1 to " + MAX_MESSAGE_BYTES + " are possible");
        }
        if (windowBytes < 1 || holdBytes < 0 || maxReplicas < 1) {
            throw new IllegalArgumentException(
                    "window " + windowBytes + " bytes, hold " + holdBytes + " bytes, " + maxReplicas + " replicas");
        }
        if (heartbeat.isNegative() || heartbeat.isZero() || silence.compareTo(heartbeat) <= 0) {
            throw new IllegalArgumentException(
                    "silence (" + silence + ") must be longer than the heartbeat (" + heartbeat + ")");
        }
    }

    /**
     * 480 KiB messages (below half of a G1 region of 1 MiB, so that their arrays are ordinary objects), window 8 MiB,
     * heartbeat 1 s, silence 10 s, hold 4 GiB, 256 replicas, durable before it ships.
     */
    public static SenderOptions defaults() {
        return new SenderOptions(
                480 << 10, 8 << 20, Duration.ofSeconds(1), Duration.ofSeconds(10), 4L << 30, 256, false);
    }

    public SenderOptions withWindow(int message, long window) {
        return new SenderOptions(message, window, heartbeat, silence, holdBytes, maxReplicas, eager);
    }

    public SenderOptions withTimes(Duration newHeartbeat, Duration newSilence) {
        return new SenderOptions(messageBytes, windowBytes, newHeartbeat, newSilence, holdBytes, maxReplicas, eager);
    }

    public SenderOptions withHold(long bytes) {
        return new SenderOptions(messageBytes, windowBytes, heartbeat, silence, bytes, maxReplicas, eager);
    }

    public SenderOptions withMaxReplicas(int replicas) {
        return new SenderOptions(messageBytes, windowBytes, heartbeat, silence, holdBytes, replicas, eager);
    }

    public SenderOptions withEager(boolean on) {
        return new SenderOptions(messageBytes, windowBytes, heartbeat, silence, holdBytes, maxReplicas, on);
    }
}
