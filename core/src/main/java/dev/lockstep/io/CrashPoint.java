package dev.lockstep.io;

import org.jspecify.annotations.Nullable;

/**
 * The labelled steps at which a crash is most likely to hurt. Tests start a process with
 * {@code -Dlockstep.crashAt=LABEL} or {@code -Dlockstep.crashAt=LABEL:n}, and the process halts, as kill -9 would, when it
 * reaches that step for the n-th time. Without the property a step costs one read of a constant.
 */
public enum CrashPoint {
    CAPTURE_FRAMES_READ,
    CAPTURE_PIN_MOVED,
    CHECKPOINT_LOCKED,
    CHECKPOINT_BACKFILLED,
    CHECKPOINT_PIN_RENEWED,
    LOG_FRAMES_HALF_WRITTEN,
    LOG_FRAMES_WRITTEN,
    LOG_COMMIT_WRITTEN,
    LOG_SYNCED,
    LOG_SEGMENT_CLOSED,
    LOG_SEGMENT_CREATED,
    APPLY_RECORDED,
    APPLY_FRAMES_HALF_WRITTEN,
    APPLY_FRAMES_WRITTEN,
    APPLY_INDEXED,
    APPLY_HALF_PUBLISHED,
    APPLY_PUBLISHED,
    APPLY_RELEASED,
    RESET_BACKFILLED,
    RESET_BASE_RECORDED,
    RESET_DONE,
    COPY_WRITTEN,
    COPY_SYNCED,
    COPY_RENAMED;

    private static final @Nullable CrashPoint ARMED;
    private static int left;

    static {
        String armed = System.getProperty("lockstep.crashAt");
        if (armed == null) {
            ARMED = null;
        } else {
            String[] labelAndCount = armed.split(":", 2);
            ARMED = valueOf(labelAndCount[0]);
            left = labelAndCount.length == 2 ? Integer.parseInt(labelAndCount[1]) : 1;
        }
    }

    /** Whether this process was started to crash here; for steps that need to be staged, such as half a write. */
    public boolean isArmed() {
        return ARMED == this;
    }

    /** Halts this process if it was started to crash here. */
    public void reached() {
        if (ARMED == this) {
            countDown();
        }
    }

    private static synchronized void countDown() {
        if (--left == 0) {
            Runtime.getRuntime().halt(137);
        }
    }
}
