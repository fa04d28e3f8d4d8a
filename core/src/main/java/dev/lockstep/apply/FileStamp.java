package dev.lockstep.apply;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/**
 * By what a file that was written to since can be told: its size and the time of its last change. The file is not opened for
 * it, so that SQLite's locks stay.
 *
 * <p>File systems take the time from a clock that ticks every few milliseconds, so a second change within a tick would go
 * unnoticed: a stamp is good only once it is {@link #settled}. It does not notice who sets the time back on purpose.
 *
 * @param modifiedNanos since 1970
 */
record FileStamp(long size, long modifiedNanos) {

    /** The stamp of no file. */
    static final FileStamp NONE = new FileStamp(0, 0);

    /** Longer than a tick of any clock in use for file times, but for those of whole seconds. */
    private static final long SETTLED_NANOS = TimeUnit.MILLISECONDS.toNanos(40);

    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    static FileStamp of(Path file) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return new FileStamp(attributes.size(), attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS));
    }

    /** Whether a change from now on is sure to change the stamp. */
    boolean settled() {
        Instant now = Instant.now();
        long age = TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano() - modifiedNanos;
        return age > (modifiedNanos % SECOND == 0 ? 2 * SECOND : SETTLED_NANOS);
    }
}
