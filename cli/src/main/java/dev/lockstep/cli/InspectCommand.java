package dev.lockstep.cli;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.LogInspector;
import dev.lockstep.log.LogInspector.Frame;
import dev.lockstep.log.LogInspector.Transaction;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "inspect",
        description = {
            "Show one frame of a log: its header, its place in the chain of checksums, and what page it holds.",
            "",
            "Exits with 3 if the frame does not continue the chain."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  lockstep inspect app.db              the newest frame",
            "  lockstep inspect app.db 1234",
            "  lockstep inspect app.db 1234 --hex   with the first bytes of the page",
        })
final class InspectCommand implements Callable<Integer> {

    private static final int HEX_BYTES = 256;
    private static final int ROW = 16;
    private static final HexFormat BYTES = HexFormat.ofDelimiter(" ");

    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "PATH",
            description = "A log directory, a segment, a wallog of libSQL, a primary's data directory or its database.")
    private Path path;

    @Parameters(
            index = "1",
            paramLabel = "FRAME",
            arity = "0..1",
            description = "The frame's number; by default that of the newest.")
    private @Nullable Long asked;

    @Option(names = "--hex", description = "Show the first " + HEX_BYTES + " bytes of the page.")
    private boolean hex;

    @Option(names = "--bytes", paramLabel = "N", description = "Show the first N bytes of the page.")
    private @Nullable Long bytes;

    @Option(names = "--json", description = "Answer with one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Path log = LogPath.resolve(path);
        long frameNo = asked != null ? asked : newest(log);
        Frame frame = frame(log, frameNo);
        Transaction transaction = transactionOf(log, frameNo);
        byte[] page = page(frame, bytes != null ? bytes : hex ? HEX_BYTES : 0);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            asJson(frame, transaction, page).print(out);
        } else {
            print(out, frame, transaction);
            dump(out, page);
            out.flush();
        }
        return (frame.continuesTheChain() ? ExitCode.OK : ExitCode.REFUSED).code();
    }

    private static Frame frame(Path log, long frameNo) throws IOException {
        try {
            return LogInspector.frame(log, frameNo);
        } catch (IllegalArgumentException absent) {
            throw new IOException(absent.getMessage(), absent);
        }
    }

    private static long newest(Path log) throws IOException {
        long[] last = {-1};
        LogInspector.transactions(log, transaction -> {
            last[0] = transaction.lastFrameNo();
            return true;
        });
        if (last[0] < 0) {
            throw new IOException(log + " holds no transaction yet");
        }
        return last[0];
    }

    /** The committed transaction that the frame belongs to, or null. */
    private static @Nullable Transaction transactionOf(Path log, long frameNo) throws IOException {
        Transaction[] found = new Transaction[1];
        LogInspector.transactions(log, transaction -> {
            if (transaction.lastFrameNo() >= frameNo) {
                found[0] = transaction.firstFrameNo() <= frameNo ? transaction : null;
                return false;
            }
            return true;
        });
        return found[0];
    }

    private static byte[] page(Frame frame, long length) throws IOException {
        byte[] page = new byte[(int) Math.min(length, frame.pageSize())];
        try (RandomAccessFile file = new RandomAccessFile(frame.file(), "r")) {
            file.seek(frame.offset() + FrameLayout.HEADER);
            file.readFully(page);
        }
        return page;
    }

    private static void print(PrintWriter out, Frame frame, @Nullable Transaction transaction) {
        out.println("frame " + frame.frameNo() + " at offset " + frame.offset() + " of " + frame.file());
        Table.line(
                out,
                "page",
                Integer.toUnsignedString(frame.pageNo()) + " of " + frame.pageSize() + " bytes: " + frame.pageType());
        String checksum = Formats.hex(frame.checksum());
        Table.line(
                out,
                "checksum",
                checksum
                        + (frame.continuesTheChain()
                                ? ", continues " + Formats.hex(frame.previousChecksum()) + " of the frame before"
                                : ": DAMAGED, expected " + Formats.hex(frame.expectedChecksum()) + " after "
                                        + Formats.hex(frame.previousChecksum())));
        Table.line(out, "page's CRC", Formats.hex(frame.contentCrc()));
        Table.line(
                out,
                "size after",
                frame.sizeAfter() == 0
                        ? "0: not the last frame of its transaction"
                        : Integer.toUnsignedString(frame.sizeAfter()) + " pages: the last frame of its transaction");
        Table.line(out, "transaction", transaction == null ? "none that was committed" : describe(transaction));
    }

    private static String describe(Transaction transaction) {
        CommitRecord commit = transaction.commit();
        return (transaction.frames() == 1 ? "frame " : "frames ")
                + LogCommand.frames(transaction)
                + (commit == null
                        ? ""
                        : ", committed " + Formats.time(commit.timeMillis()) + ", seal " + commit.seal());
    }

    private static void dump(PrintWriter out, byte[] page) {
        for (int at = 0; at < page.length; at += ROW) {
            int end = Math.min(page.length, at + ROW);
            StringBuilder text = new StringBuilder();
            for (int i = at; i < end; i++) {
                text.append(page[i] >= ' ' && page[i] < 127 ? (char) page[i] : '.');
            }
            out.printf("  %5d  %-47s  %s%n", at, BYTES.formatHex(page, at, end), text);
        }
    }

    private static Json asJson(Frame frame, @Nullable Transaction transaction, byte[] page) {
        return new Json()
                .put("file", frame.file())
                .put("offset", frame.offset())
                .put("frame", frame.frameNo())
                .put("page", Integer.toUnsignedLong(frame.pageNo()))
                .put("pageSize", frame.pageSize())
                .put("pageType", frame.pageType())
                .put("sizeAfter", Integer.toUnsignedLong(frame.sizeAfter()))
                .putHex("checksum", frame.checksum())
                .putHex("expectedChecksum", frame.expectedChecksum())
                .putHex("previousChecksum", frame.previousChecksum())
                .put("continuesTheChain", frame.continuesTheChain())
                .putHex("pageCrc", frame.contentCrc())
                .put("firstFrame", transaction == null ? null : transaction.firstFrameNo())
                .put("lastFrame", transaction == null ? null : transaction.lastFrameNo())
                .put("hex", page.length == 0 ? null : HexFormat.of().formatHex(page));
    }
}
