package dev.lockstep.cli;

import dev.lockstep.log.LogInspector;
import dev.lockstep.log.LogInspector.Transaction;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The status of a log on this machine, whether a primary writes it or not: what its commit records tell. */
final class LocalLog {

    private final Path log;
    private long transactions;
    private long segments;
    private long bytes;
    private @Nullable Transaction first;
    private @Nullable Transaction last;

    private LocalLog(Path log) {
        this.log = log;
    }

    static ExitCode print(Path log, boolean json, PrintWriter out) throws IOException {
        LocalLog status = new LocalLog(log);
        status.read();
        if (json) {
            status.asJson().print(out);
        } else {
            status.print(out);
        }
        return ExitCode.OK;
    }

    private void read() throws IOException {
        LogInspector.transactions(log, transaction -> {
            transactions++;
            first = first == null ? transaction : first;
            last = transaction;
            return true;
        });
        for (Path file : files()) {
            segments++;
            bytes += Files.size(file);
        }
    }

    private List<Path> files() throws IOException {
        if (!Files.isDirectory(log)) {
            return List.of(log);
        }
        try (Stream<Path> files = Files.list(log)) {
            return files.filter(file -> file.toString().endsWith(".wallog")).toList();
        }
    }

    private void print(PrintWriter out) {
        out.println(log + ": a log");
        Table.line(
                out,
                "holds",
                Formats.count(transactions, "transaction") + " in " + Formats.count(segments, "segment") + ", "
                        + Formats.bytes(bytes) + " on disk");
        if (first != null && last != null) {
            Table.line(out, "from", describe(first, first.firstFrameNo()));
            Table.line(out, "to", describe(last, last.lastFrameNo()));
            Table.line(out, "checksum", Formats.hex(last.checksum()));
            Table.line(out, "database", Formats.count(Integer.toUnsignedLong(last.sizeAfter()), "page"));
        }
    }

    private static String describe(Transaction transaction, long frameNo) {
        Long time = time(transaction);
        return "frame " + Formats.count(frameNo) + (time == null ? "" : ", committed " + Formats.time(time));
    }

    private static @Nullable Long time(@Nullable Transaction transaction) {
        return transaction == null || transaction.commit() == null
                ? null
                : (Long) transaction.commit().timeMillis();
    }

    private Json asJson() {
        return new Json()
                .put("kind", "log")
                .put("path", log)
                .put("transactions", transactions)
                .put("segments", segments)
                .put("bytes", bytes)
                .put("firstFrame", first == null ? null : first.firstFrameNo())
                .put("lastFrame", last == null ? null : last.lastFrameNo())
                .put("checksum", last == null ? null : Formats.hex(last.checksum()))
                .put("databasePages", last == null ? null : Integer.toUnsignedLong(last.sizeAfter()))
                .put("firstTimeMillis", time(first))
                .put("lastTimeMillis", time(last));
    }
}
