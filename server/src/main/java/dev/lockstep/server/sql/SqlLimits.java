package dev.lockstep.server.sql;

import java.time.Duration;

/**
 * What one database allows its sessions.
 *
 * @param idle a transaction in which nothing runs for so long is rolled back
 * @param total a transaction, or a statement outside of one, that lasts so long is interrupted and rolled back
 * @param lockWait for so long a statement waits for its turn to write, for a connection, and for a lock that another program holds
 * @param captureWait for so long the answer to a committed write waits for its frame number
 * @param connections sessions that run a statement or hold a transaction at one time; more wait
 * @param resultRows rows of one result
 * @param resultBytes of one result: text and blobs by their length, 8 for a number
 * @param sqlLength of one text, in characters
 * @param scriptStatements statements of one script
 * @param valueBytes of one text or blob, in the database or on its way
 */
public record SqlLimits(
        Duration idle,
        Duration total,
        Duration lockWait,
        Duration captureWait,
        int connections,
        long resultRows,
        long resultBytes,
        int sqlLength,
        int scriptStatements,
        int valueBytes) {

    /** Parameters of one statement, as SQLite's own default. */
    public static final int PARAMETERS = 32_766;

    public SqlLimits {
        if (idle.isNegative() || idle.isZero() || total.compareTo(idle) < 0) {
            throw new IllegalArgumentException("a transaction may idle for " + idle + " and last for " + total
                    + ": the first must be above 0, the second not below the first");
        }
        if (connections < 1 || resultRows < 0 || resultBytes < 0 || sqlLength < 1 || scriptStatements < 1) {
            throw new IllegalArgumentException("connections " + connections + ", rows " + resultRows + ", bytes "
                    + resultBytes + ", SQL " + sqlLength + ", statements " + scriptStatements + ": none below 1");
        }
        if (valueBytes < 1 << 16) {
            throw new IllegalArgumentException("values of " + valueBytes + " bytes: 65536 at least");
        }
    }

    /**
     * Idle 5 s, total 60 s, 10 s for locks, 5 s for capture, 64 connections; results of 10 million rows and 64 MiB, SQL of 4 Mi
     * characters, scripts of 20,000 statements, values of 64 MiB.
     */
    public static SqlLimits defaults() {
        return new SqlLimits(
                Duration.ofSeconds(5),
                Duration.ofSeconds(60),
                Duration.ofSeconds(10),
                Duration.ofSeconds(5),
                64,
                10_000_000,
                64L << 20,
                4 << 20,
                20_000,
                64 << 20);
    }

    public SqlLimits withTransactions(Duration newIdle, Duration newTotal) {
        return new SqlLimits(
                newIdle,
                newTotal,
                lockWait,
                captureWait,
                connections,
                resultRows,
                resultBytes,
                sqlLength,
                scriptStatements,
                valueBytes);
    }

    public SqlLimits withLockWait(Duration wait) {
        return new SqlLimits(
                idle,
                total,
                wait,
                captureWait,
                connections,
                resultRows,
                resultBytes,
                sqlLength,
                scriptStatements,
                valueBytes);
    }

    public SqlLimits withConnections(int count) {
        return new SqlLimits(
                idle,
                total,
                lockWait,
                captureWait,
                count,
                resultRows,
                resultBytes,
                sqlLength,
                scriptStatements,
                valueBytes);
    }

    public SqlLimits withResult(long rows, long bytes) {
        return new SqlLimits(
                idle, total, lockWait, captureWait, connections, rows, bytes, sqlLength, scriptStatements, valueBytes);
    }

    public SqlLimits withSql(int length, int statements) {
        return new SqlLimits(
                idle,
                total,
                lockWait,
                captureWait,
                connections,
                resultRows,
                resultBytes,
                length,
                statements,
                valueBytes);
    }
}
