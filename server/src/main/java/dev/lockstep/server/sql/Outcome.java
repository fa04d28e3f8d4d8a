package dev.lockstep.server.sql;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a statement ended.
 *
 * @param affectedRows rows that an INSERT, UPDATE or DELETE changed itself; 0 for others
 * @param lastInsertRowid of the connection, by this or an earlier statement
 * @param rowsRead rows handed out; what SQLite looked at to find them is not known
 * @param rowsWritten rows changed, by triggers and foreign key actions too
 * @param committed whether a write of this session became lasting by it
 * @param frameNo when it did: a frame by which all that this session has committed is in the log; null while capture does not run
 */
public record Outcome(
        long affectedRows,
        long lastInsertRowid,
        long rowsRead,
        long rowsWritten,
        Duration time,
        boolean committed,
        @Nullable Long frameNo) {}
