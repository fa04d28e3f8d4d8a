package dev.lockstep.bench;

import dev.lockstep.Primary;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.stream.SenderOptions;
import java.io.IOException;
import java.nio.file.Path;

/**
 * What an attached primary costs a writer in another process: the same writer with and without one, in turn, several times; also with a
 * replica on the same machine that follows. The targets: throughput at least 0.98 times, p50 at most 1.1 times. And what the writer
 * loses beside a {@link Bystander} instead, which shares nothing with it but the machine.
 */
final class WriterBench {

    private static final int ROUNDS = 3;
    private static final int SECONDS = 4;

    /** What a writer of one row, NORMAL, came to flat out on the machine that the targets were set on. */
    private static final int TARGETS_FLAT_OUT = 31_000;

    /** Bytes of WAL that a transaction of so many rows makes. */
    private static final int ONE_ROW = 4_300;

    private static final int HUNDRED_ROWS = 24_000;

    private WriterBench() {}

    static void flatOut(Table table) throws IOException, InterruptedException {
        for (String synchronous : new String[] {"NORMAL", "FULL"}) {
            for (int rows : new int[] {1, 100}) {
                compare(table, rows, synchronous, 0);
            }
        }
    }

    static void paced(Table table) throws IOException, InterruptedException {
        compare(table, 1, "NORMAL", 1000);
        compare(table, 1, "NORMAL", TARGETS_FLAT_OUT);
        compare(table, 100, "NORMAL", 200);
        compare(table, 1, "FULL", 200);
    }

    private static void compare(Table table, int rows, String synchronous, int pace)
            throws IOException, InterruptedException {
        attached(rows, synchronous, pace); // warms up
        Result[] alone = new Result[ROUNDS];
        Result[] attached = new Result[ROUNDS];
        Result[] followed = new Result[ROUNDS];
        Result[] beside = new Result[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            alone[round] = write(database(), rows, synchronous, pace);
            attached[round] = attached(rows, synchronous, pace);
            followed[round] = followed(rows, synchronous, pace);
            beside[round] = beside(rows, synchronous, pace, alone[round].perSecond);
        }
        String name = "writer, " + rows + (rows == 1 ? " row" : " rows") + " a transaction, " + synchronous
                + (pace == 0 ? "" : ", " + pace + " tx/s");
        Result before = Result.median(alone);
        rows(table, name, before, Result.median(attached), ">= 0.98", "<= 1.1");
        rows(table, name + ", followed by a replica", before, Result.median(followed), "", "");
        rows(table, name + ", beside a bystander instead", before, Result.median(beside), "", "");
    }

    private static void rows(Table table, String name, Result before, Result after, String throughput, String p50) {
        table.row(name + ": throughput", "%.0f tx/s", before.perSecond, after.perSecond, throughput);
        table.row(name + ": p50", "%.1f us", before.p50, after.p50, p50);
        table.row(name + ": p99", "%.1f us", before.p99, after.p99, "");
    }

    private static Path database() throws IOException, InterruptedException {
        Path directory = Workplace.fresh();
        Workplace.settle();
        return directory.resolve("app.db");
    }

    private static Result attached(int rows, String synchronous, int pace) throws IOException, InterruptedException {
        Path database = database();
        try (Primary primary = Primary.of(database).open()) {
            Result result = write(database, rows, synchronous, pace);
            if (primary.status().failure() != null) {
                throw new IllegalStateException(primary.status().failure());
            }
            return result;
        }
    }

    private static Result followed(int rows, String synchronous, int pace) throws IOException, InterruptedException {
        Path database = database();
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = Workplace.serve(primary, SenderOptions.defaults())) {
            Process replica = Workplace.start(
                    BenchReplica.class,
                    Workplace.url(server),
                    database.resolveSibling("copy.db").toString());
            try {
                replica.inputReader().readLine();
                return write(database, rows, synchronous, pace);
            } finally {
                replica.destroyForcibly().waitFor();
            }
        }
    }

    private static Result beside(int rows, String synchronous, int pace, double perSecond)
            throws IOException, InterruptedException {
        Path database = database();
        long bytes = (long) (perSecond * (rows == 1 ? ONE_ROW : HUNDRED_ROWS));
        Process bystander =
                Workplace.start(Bystander.class, database.resolveSibling(".").toString(), "" + bytes);
        try {
            bystander.inputReader().readLine();
            return write(database, rows, synchronous, pace);
        } finally {
            bystander.destroyForcibly().waitFor();
        }
    }

    private static Result write(Path database, int rows, String synchronous, int pace)
            throws IOException, InterruptedException {
        String line =
                Workplace.java(BenchWriter.class, database.toString(), "" + rows, synchronous, "" + SECONDS, "" + pace);
        String[] numbers = line.split(" ");
        return new Result(
                Double.parseDouble(numbers[0]), Double.parseDouble(numbers[1]), Double.parseDouble(numbers[2]));
    }

    private record Result(double perSecond, double p50, double p99) {

        /** Median of each figure on its own. */
        static Result median(Result[] results) {
            return new Result(
                    Workplace.median(results, Result::perSecond),
                    Workplace.median(results, Result::p50),
                    Workplace.median(results, Result::p99));
        }
    }
}
