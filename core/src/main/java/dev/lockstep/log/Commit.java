package dev.lockstep.log;

/**
 * What the appender knows of a transaction beside its frames.
 *
 * @param end the offset just past its commit frame in the buffer handed to {@link FrameLog#append}
 * @param timeMillis wall-clock time, ms since 1970
 * @param stateChecksum the state checksum after it
 * @param wal where it ends in SQLite's WAL, or {@link WalMark#NONE}
 */
public record Commit(int end, long timeMillis, long stateChecksum, WalMark wal) {}
