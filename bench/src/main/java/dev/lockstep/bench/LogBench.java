package dev.lockstep.bench;

import dev.lockstep.io.Storage;
import dev.lockstep.log.FrameLog;
import java.io.IOException;
import java.util.Arrays;

/** Appending to the log: finished frames in, checked, sealed and written; with and without waiting for the disk. */
final class LogBench {

    private static final int ROUNDS = 5;
    private static final long BYTES = 400_000_000;

    private LogBench() {}

    static void run(Table table) throws IOException, InterruptedException {
        table.row("append 1 MiB, not synced", "%.0f MB/s", append(1 << 20, 50, false), ">= 600");
        table.row("append 1 MiB, fdatasync each", "%.0f MB/s", append(1 << 20, 50, true), ">= 400");
        table.row("append 1 MiB, transactions of 1 frame, not synced", "%.0f MB/s", append(1 << 20, 1, false), "");
        table.row("append 40 KiB, one transaction, not synced", "%.0f MB/s", append(10 * 4120, 10, false), "");
        double[] micros = commits();
        table.row("commit of 1 frame, durable, p50", "%.0f us", micros[micros.length / 2], "");
        table.row("commit of 1 frame, durable, p99", "%.0f us", micros[micros.length * 99 / 100], "");
    }

    private static double append(int bytes, int framesPerTransaction, boolean synced)
            throws IOException, InterruptedException {
        Double[] rates = new Double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            Storage storage = Storage.directory(Workplace.fresh());
            Workplace.settle();
            LogFrames frames = new LogFrames(bytes, framesPerTransaction);
            long nanos = 0;
            long written = 0;
            try (FrameLog log = FrameLog.create(storage, LogFrames.START, FrameLog.Options.defaults())) {
                while (written < BYTES) {
                    frames.next(); // numbers and chains the frames: the capture's work, not the log's
                    written += frames.bytes();
                    long start = System.nanoTime();
                    frames.appendTo(log);
                    if (synced) {
                        log.sync();
                    }
                    nanos += System.nanoTime() - start;
                }
            }
            rates[round] = written * 1e3 / nanos;
        }
        return Workplace.median(rates, Double::doubleValue);
    }

    private static double[] commits() throws IOException {
        LogFrames frames = new LogFrames(4120, 1);
        double[] micros = new double[3000];
        try (FrameLog log =
                FrameLog.create(Storage.directory(Workplace.fresh()), LogFrames.START, FrameLog.Options.defaults())) {
            for (int i = 0; i < micros.length; i++) {
                frames.next();
                long start = System.nanoTime();
                frames.appendTo(log);
                log.sync();
                micros[i] = (System.nanoTime() - start) / 1e3;
            }
        }
        Arrays.sort(micros);
        return micros;
    }
}
