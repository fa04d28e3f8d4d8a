package dev.lockstep.bench;

import dev.lockstep.Primary;
import dev.lockstep.apply.Applier;
import dev.lockstep.apply.FirstCopy;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.LogReader;
import dev.lockstep.log.LogStart;
import dev.lockstep.stream.SenderOptions;
import dev.lockstep.verify.PageVerifier;
import dev.lockstep.verify.VerifiedTransaction;
import dev.lockstep.verify.Verifier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/**
 * How fast verified transactions are applied, against the same transactions executed by sqlite-jdbc: updates of one row on each of
 * a number of pages. And how long a first copy takes against a plain copy that is synced.
 *
 * <pre>
 * plain      against synchronous=OFF: nothing is synced. The WAL is emptied between the rounds, since that syncs here.
 * sustained  the same with the WAL emptied as by default, so all of it gets to the disk, which OFF leaves to the system
 * durable    against synchronous=FULL: every commit is synced, and both empty their WAL as by default
 * </pre>
 */
final class ApplyBench {

    private static final int PAGE = 4096;
    private static final int ROWS = 20_000;

    /** The first round warms up. */
    private static final int ROUNDS = 4;

    /** Frames in a message of the default size: a replica that is behind gets so many at once, and applies them together. */
    private static final int MESSAGE_FRAMES = SenderOptions.defaults().messageBytes() / FrameLayout.frameSize(PAGE);

    private static final long DEFAULT_WAL = Applier.Options.defaults().walBytes();
    private static final int READ_SECONDS = 6;
    private static final int PER_SECOND = 1000;
    private static final int COPY_ROUNDS = 3;
    private static final int COPY_MB = 300;

    private final int frames;
    private final int perRound;

    /** The transactions, in the order of commits: row numbers. */
    private final int[][] updates;

    private final Path source;

    private ApplyBench(int frames, int perRound) throws IOException {
        this.frames = frames;
        this.perRound = perRound;
        this.updates = new int[ROUNDS * perRound][];
        this.source = Workplace.fresh().resolve("app.db");
        Random random = new Random(frames);
        for (int n = 0; n < updates.length; n++) {
            updates[n] = random.ints(1, ROWS + 1).distinct().limit(frames).toArray();
        }
    }

    static void oneFrame(Table table) throws IOException, SQLException, InterruptedException {
        new ApplyBench(1, 4000).run(table, "", 1, 10, 100, 1000);
    }

    static void tenFrames(Table table) throws IOException, SQLException, InterruptedException {
        new ApplyBench(10, 1500).run(table, ">= 2.5", 1, 10, 100);
    }

    static void hundredFrames(Table table) throws IOException, SQLException, InterruptedException {
        new ApplyBench(100, 200).run(table, ">= 4.5", 1, 10);
    }

    static void thousandFrames(Table table) throws IOException, SQLException, InterruptedException {
        new ApplyBench(1000, 25).run(table, ">= 4.5", 1);
    }

    /** Readers of a replica, in a process of their own, while nothing is applied, and while 1000 transactions of 10 frames a second are. */
    static void readers(Table table) throws IOException, SQLException, InterruptedException {
        new ApplyBench(10, READ_SECONDS * 2 * PER_SECOND / ROUNDS).readers(table, PER_SECOND);
    }

    private void readers(Table table, int perSecond) throws IOException, SQLException, InterruptedException {
        create(source, ROWS);
        List<ByteBuffer> pages = pages(source);
        Path replica = Workplace.fresh().resolve("replica.db");
        try (Primary primary = Primary.of(source).open()) {
            LogStart start = logUpdates(primary);
            copy(replica, start, pages);
            Workplace.settle();
            CommitRecord at = CommitRecord.before(start);
            try (LogReader reader = primary.log().reader(at.frameNo());
                    Verifier verifier = new Verifier(PAGE, at, replica.resolveSibling("."), "the log");
                    Applier applier = Objects.requireNonNull(Applier.open(replica, Applier.Options.defaults()))) {
                double[] idle = query(replica);
                CompletableFuture<double[]> reading = CompletableFuture.supplyAsync(() -> query(replica));
                List<VerifiedTransaction> transactions = read(reader, verifier, perRound);
                long begin = System.nanoTime();
                for (int n = 0; !reading.isDone(); n++) {
                    if (n % perRound == 0 && n > 0) {
                        transactions = read(reader, verifier, perRound);
                    }
                    LockSupport.parkNanos(begin + n * 1_000_000_000L / perSecond - System.nanoTime());
                    applier.apply(transactions.subList(n % perRound, n % perRound + 1));
                }
                double[] applying = reading.join();
                table.row(
                        "reader of a replica, nothing or 1000 tx/s applied: p50", "%.1f us", idle[0], applying[0], "");
                table.row(
                        "reader of a replica, nothing or 1000 tx/s applied: p99",
                        "%.1f us",
                        idle[1],
                        applying[1],
                        "<= 2");
            }
        }
    }

    /** Executes the transactions on the source, and waits until all are in its log. */
    private LogStart logUpdates(Primary primary) throws IOException, SQLException, InterruptedException {
        LogStart start = primary.log().start();
        execute(source, "OFF");
        while (primary.log().head().frameNo() < start.startFrameNo() + (long) updates.length * frames - 1) {
            Thread.sleep(1);
        }
        return start;
    }

    private static double[] query(Path database) {
        try {
            String line = Workplace.java(BenchReader.class, database.toString(), "" + ROWS, "" + READ_SECONDS);
            return Arrays.stream(line.split(" "))
                    .mapToDouble(Double::parseDouble)
                    .toArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * @param target for as many transactions at a time as come in one message
     * @param together how many transactions are handed over, and published, at a time
     */
    private void run(Table table, String target, int... together)
            throws IOException, SQLException, InterruptedException {
        int inMessage = Arrays.stream(together)
                .filter(count -> count * frames <= MESSAGE_FRAMES)
                .max()
                .orElse(1);
        create(source, ROWS);
        Path directory = Objects.requireNonNull(source.getParent());
        Path nativeOff = directory.resolve("off.db");
        Path nativeFull = directory.resolve("full.db");
        Files.copy(source, nativeOff);
        Files.copy(source, nativeFull);
        List<ByteBuffer> pages = pages(source);
        try (Primary primary = Primary.of(source).open()) {
            logUpdates(primary);
            double off = rate(execute(nativeOff, "OFF"));
            double full = rate(execute(nativeFull, "FULL"));
            String name = "apply " + frames + (frames == 1 ? " frame" : " frames") + " a transaction";
            for (int count : together) {
                String batch = count == 1 ? "" : ", " + count + " at a time";
                Applier.Options plain = new Applier.Options(false, Long.MAX_VALUE / 8);
                double rate = applied(primary, pages, plain, count);
                table.row(name + batch, "%.0f frames/s", off, rate, count == inMessage ? target : "");
                Applier.Options durable = new Applier.Options(true, DEFAULT_WAL);
                rate = applied(primary, pages, durable, count);
                table.row(name + batch + ", durable", "%.0f frames/s", full, rate, "");
            }
            double rate = applied(primary, pages, Applier.Options.defaults(), together[together.length - 1]);
            table.row(name + ", sustained", "%.0f frames/s", off, rate, "");
        }
    }

    private double applied(Primary primary, List<ByteBuffer> pages, Applier.Options options, int together)
            throws IOException, InterruptedException {
        Path replica = Workplace.fresh().resolve("replica.db");
        copy(replica, primary.log().start(), pages);
        Workplace.settle();
        return rate(apply(primary, replica, options, together));
    }

    private double rate(Long[] nanos) {
        return perRound * frames * 1e9 / Workplace.median(nanos, Long::doubleValue);
    }

    /** A database of one row to a page. */
    private static void create(Path database, int rows) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA page_size=" + PAGE);
            statement.execute("PRAGMA journal_mode=WAL");
            statement.execute("PRAGMA synchronous=OFF");
            statement.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)");
            statement.execute("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < " + rows
                    + ") INSERT INTO t SELECT n, randomblob(3500) FROM i");
        }
    }

    /** Executes the transactions; returns the time of each round after the first. */
    private Long[] execute(Path database, String synchronous) throws IOException, SQLException, InterruptedException {
        Workplace.settle();
        Long[] nanos = new Long[ROUNDS - 1];
        byte[] value = new byte[3500];
        new Random(1).nextBytes(value);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement();
                PreparedStatement update = connection.prepareStatement("UPDATE t SET v = ? WHERE id = ?")) {
            statement.execute("PRAGMA synchronous=" + synchronous);
            connection.setAutoCommit(false);
            for (int round = 0; round < ROUNDS; round++) {
                long begin = System.nanoTime();
                for (int n = round * perRound; n < (round + 1) * perRound; n++) {
                    value[n % value.length]++;
                    for (int row : updates[n]) {
                        update.setBytes(1, value);
                        update.setInt(2, row);
                        update.executeUpdate();
                    }
                    connection.commit();
                }
                if (round > 0) {
                    nanos[round - 1] = System.nanoTime() - begin;
                }
            }
        }
        return nanos;
    }

    /** Only the applying is measured; each batch comes out of the verifier just before, as in a replica. */
    private Long[] apply(Primary primary, Path replica, Applier.Options options, int together) throws IOException {
        Long[] nanos = new Long[ROUNDS - 1];
        CommitRecord start = CommitRecord.before(primary.log().start());
        try (LogReader reader = primary.log().reader(start.frameNo());
                Verifier verifier = new Verifier(PAGE, start, replica.resolveSibling("."), "the log")) {
            for (int round = 0; round < ROUNDS; round++) {
                try (Applier applier = Objects.requireNonNull(Applier.open(replica, options))) {
                    long applying = 0;
                    for (int done = 0; done < perRound; done += together) {
                        List<VerifiedTransaction> batch = read(reader, verifier, Math.min(together, perRound - done));
                        long begin = System.nanoTime();
                        applier.apply(batch);
                        applying += System.nanoTime() - begin;
                    }
                    if (round > 0) {
                        nanos[round - 1] = applying;
                    }
                } // which empties the WAL
            }
        }
        return nanos;
    }

    /** The next transactions, verified. */
    private List<VerifiedTransaction> read(LogReader reader, Verifier verifier, int count) throws IOException {
        List<VerifiedTransaction> transactions = new ArrayList<>();
        long end = reader.frameNo() + (long) count * frames;
        while (transactions.size() < count) {
            ByteBuffer message = ByteBuffer.allocate(FrameLayout.frameSize(PAGE) * Math.max(frames, 64))
                    .order(ByteOrder.LITTLE_ENDIAN);
            List<CommitRecord> commits = new ArrayList<>();
            reader.read(message, commits, end);
            verifier.accept(message.flip(), commits, transactions);
        }
        return transactions;
    }

    /** All pages of a database that nobody writes to, as messages of a first copy. */
    private static List<ByteBuffer> pages(Path database) throws IOException {
        List<ByteBuffer> messages = new ArrayList<>();
        int frameSize = FrameLayout.frameSize(PAGE);
        try (FileChannel file = FileChannel.open(database, StandardOpenOption.READ)) {
            int pages = (int) (file.size() / PAGE);
            for (int first = 1; first <= pages; first += 64) {
                int count = Math.min(64, pages - first + 1);
                ByteBuffer message = ByteBuffer.allocate(count * frameSize).order(ByteOrder.LITTLE_ENDIAN);
                for (int i = 0; i < count; i++) {
                    int at = i * frameSize;
                    message.limit(at + frameSize).position(at + FrameLayout.HEADER);
                    file.read(message, (first + i - 1L) * PAGE);
                    long crc = Crc64.of(message, at + FrameLayout.HEADER, PAGE);
                    FrameLayout.putHeader(message, at, 0, crc, first + i, 0);
                }
                messages.add(message.clear());
            }
        }
        return messages;
    }

    private static void copy(Path replica, LogStart start, List<ByteBuffer> pages) throws IOException {
        CommitRecord at = CommitRecord.before(start);
        try (FirstCopy copy = FirstCopy.begin(replica, start.logId(), PAGE, at, "the benchmark", false)) {
            PageVerifier verifier = new PageVerifier(PAGE, at.sizeAfter(), "the benchmark");
            for (ByteBuffer message : pages) {
                copy.pages(verifier.accept(message));
            }
            verifier.end();
            copy.endOfPages();
            copy.finish();
        }
    }

    static void firstCopy(Table table) throws IOException, SQLException, InterruptedException {
        Path directory = Workplace.fresh();
        Path database = directory.resolve("app.db");
        create(database, COPY_MB * 1000 * 1000 / PAGE);
        Double[] plain = new Double[COPY_ROUNDS];
        Double[] verified = new Double[COPY_ROUNDS];
        List<ByteBuffer> pages = pages(database);
        LogStart start;
        try (Primary primary = Primary.of(database).open()) {
            start = primary.log().start();
        }
        for (int round = 0; round < COPY_ROUNDS; round++) {
            Workplace.settle();
            long begin = System.nanoTime();
            Path target = directory.resolve("plain" + round);
            Files.copy(database, target);
            try (FileChannel file = FileChannel.open(target, StandardOpenOption.WRITE)) {
                file.force(true);
            }
            plain[round] = (System.nanoTime() - begin) / 1e9;
            Workplace.settle();
            begin = System.nanoTime();
            copy(directory.resolve("replica" + round), start, pages);
            verified[round] = (System.nanoTime() - begin) / 1e9;
        }
        table.row(
                "receiving a first copy of " + COPY_MB + " MB",
                "%.2f s",
                Workplace.median(plain, Double::doubleValue),
                Workplace.median(verified, Double::doubleValue),
                "<= 1.5");
    }
}
