package dev.lockstep.cli;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.LogInspector;
import dev.lockstep.log.LogInspector.Transaction;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "log",
        description = {
            "List the transactions in a log: their frames, the database's size in pages after each, time and checksum.",
            "",
            "Reads the commit records only and believes them; 'lockstep verify' is the command that does not."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  lockstep log app.db                             the newest transactions",
            "  lockstep log app.db --from 1000 --to 2000       those with these frames",
            "  lockstep log app.db --since 2026-11-23T17:00 --json"
        })
final class LogCommand implements Callable<Integer> {

    private static final int DEFAULT_LIMIT = 50;
    private static final String ROW = "%-23s  %8s  %10s  %-23s  %s%n";

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "PATH",
            description = "A log directory, a segment, a wallog of libSQL, a primary's data directory or its database.")
    private Path path;

    @Option(
            names = {"-n", "--limit"},
            paramLabel = "N",
            description = "Only the newest N of those asked for; 0 for all. By default " + DEFAULT_LIMIT
                    + ", or all when a range is given.")
    private @Nullable Long limit;

    @Option(names = "--reverse", description = "The newest first; without this, last.")
    private boolean reverse;

    @Option(names = "--from", paramLabel = "FRAME", description = "From the transaction with this frame on.")
    private @Nullable Long from;

    @Option(names = "--to", paramLabel = "FRAME", description = "Up to the transaction with this frame.")
    private @Nullable Long to;

    @Option(
            names = "--since",
            paramLabel = "TIME",
            converter = TimeConverter.class,
            description = "Committed at or after this local time, as 2026-11-23T17:00 or 2026-11-23.")
    private @Nullable LocalDateTime since;

    @Option(
            names = "--until",
            paramLabel = "TIME",
            converter = TimeConverter.class,
            description = "Committed before this local time.")
    private @Nullable LocalDateTime until;

    @Option(names = "--json", description = "Answer with one JSON object for each transaction, in a line of its own.")
    private boolean json;

    /** Transactions that were asked for. */
    private long matching;

    /** Whether the table has begun. */
    private boolean headed;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        requireOrder("--from", from, "--to", to);
        requireOrder("--since", since, "--until", until);
        Path log = LogPath.resolve(path);
        boolean ranged = from != null || to != null || since != null || until != null;
        long atMost = limit != null ? limit : ranged ? 0 : DEFAULT_LIMIT;
        Consumer<Transaction> printer =
                json ? transaction -> asJson(transaction).print(out) : transaction -> print(out, transaction);
        if (atMost == 0 && !reverse) {
            visit(log, printer); // however many there are
        } else {
            newest(log, atMost).forEach(printer);
        }
        if (!json && matching == 0) {
            out.println(ranged ? "(no transaction there)" : "(no transaction yet)");
        }
        if (!json && limit == null && matching > atMost && atMost > 0) {
            out.println("(the newest " + atMost + " of " + Formats.count(matching, "transaction")
                    + "; --limit 0 lists all)");
        }
        out.flush();
        return ExitCode.OK.code();
    }

    private <T extends Comparable<? super T>> void requireOrder(
            String begin, @Nullable T first, String end, @Nullable T last) {
        if (first != null && last != null && first.compareTo(last) > 0) {
            throw new ParameterException(
                    spec.commandLine(), begin + " " + first + " is after " + end + " " + last + "; nothing is between");
        }
    }

    private void visit(Path log, Consumer<Transaction> consumer) throws IOException {
        long first = from == null ? Long.MIN_VALUE : from;
        long last = to == null ? Long.MAX_VALUE : to;
        long begin = since == null ? Long.MIN_VALUE : millis(since);
        long end = until == null ? Long.MAX_VALUE : millis(until);
        LogInspector.transactions(log, transaction -> {
            long time = time(transaction);
            if (transaction.lastFrameNo() >= first
                    && transaction.firstFrameNo() <= last
                    && time >= begin
                    && time < end) {
                matching++;
                consumer.accept(transaction);
            }
            return transaction.firstFrameNo() <= last;
        });
    }

    private List<Transaction> newest(Path log, long atMost) throws IOException {
        ArrayDeque<Transaction> kept = new ArrayDeque<>();
        visit(log, transaction -> {
            kept.addLast(transaction);
            if (atMost > 0 && kept.size() > atMost) {
                kept.removeFirst();
            }
        });
        List<Transaction> newest = new ArrayList<>(kept);
        if (reverse) {
            Collections.reverse(newest);
        }
        return newest;
    }

    private static long millis(LocalDateTime local) {
        return local.atZone(ZoneId.systemDefault()).toInstant().toEpochMilli();
    }

    /** Or 0 in logs that do not say. */
    private static long time(Transaction transaction) {
        CommitRecord commit = transaction.commit();
        return commit == null ? 0 : commit.timeMillis();
    }

    private void print(PrintWriter out, Transaction transaction) {
        if (!headed) {
            headed = true;
            out.printf(ROW, "frames", "count", "db pages", "time", "checksum");
        }
        CommitRecord commit = transaction.commit();
        out.printf(
                ROW,
                frames(transaction),
                Formats.count(transaction.frames()),
                Formats.count(Integer.toUnsignedLong(transaction.sizeAfter())),
                commit == null ? "-" : Formats.time(commit.timeMillis()),
                Formats.hex(transaction.checksum()));
    }

    static String frames(Transaction transaction) {
        return transaction.frames() == 1
                ? Long.toString(transaction.firstFrameNo())
                : transaction.firstFrameNo() + "-" + transaction.lastFrameNo();
    }

    private static Json asJson(Transaction transaction) {
        CommitRecord commit = transaction.commit();
        return new Json()
                .put("firstFrame", transaction.firstFrameNo())
                .put("lastFrame", transaction.lastFrameNo())
                .put("frames", transaction.frames())
                .put("databasePages", Integer.toUnsignedLong(transaction.sizeAfter()))
                .put("timeMillis", commit == null ? null : commit.timeMillis())
                .putHex("checksum", transaction.checksum())
                .put("stateChecksum", commit == null ? null : Formats.hex(commit.stateChecksum()))
                .put("seal", commit == null ? null : commit.seal());
    }
}
