package dev.lockstep.bench;

import dev.lockstep.Primary;
import dev.lockstep.Replica;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.RemotePrimary;
import dev.lockstep.stream.SenderOptions;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;

/** The first copy of a database over loopback, until it is verified, durable and readable, against a plain copy and fsync of the file. */
final class FirstCopyBench {

    /** The first is that of a JVM that has just started, which is half busy compiling. */
    private static final int ROUNDS = 12;

    /** The last ones, when next to nothing is compiled any more. */
    private static final int WARM_ROUNDS = 5;

    private FirstCopyBench() {}

    static void run(Table table) throws Exception {
        Path directory = Workplace.fresh();
        Path database = directory.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA journal_mode=WAL");
            statement.execute("PRAGMA synchronous=OFF");
            statement.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)");
            for (int i = 0; i < 100; i++) {
                statement.execute("INSERT INTO t(v) VALUES (randomblob(10000000))");
            }
        }
        double megabytes = Files.size(database) / 1e6;
        Double[] plain = new Double[ROUNDS];
        Double[] copied = new Double[ROUNDS];
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = Workplace.serve(primary, SenderOptions.defaults())) {
            for (int round = 0; round < ROUNDS; round++) {
                try (Closeable memory = Workplace.settleLastingly()) {
                    copied[round] =
                            firstCopy(Workplace.url(server), primary, directory.resolve("copy" + round + ".db"));
                }
                Files.delete(directory.resolve("copy" + round + ".db"));
                Workplace.settle();
                plain[round] = plainCopy(database, directory.resolve("plain" + round + ".db"));
                Files.delete(directory.resolve("plain" + round + ".db"));
            }
        }
        String name = String.format("first copy of %.0f MB", megabytes);
        double baseline = Workplace.median(plain, Double::doubleValue);
        Double[] warm = Arrays.copyOfRange(copied, ROUNDS - WARM_ROUNDS, ROUNDS);
        table.row(name, "%.2f s", baseline, Workplace.median(warm, Double::doubleValue), "<= 1.5");
        table.row(name + ", JVM just started", "%.2f s", baseline, copied[0], "");
    }

    private static double firstCopy(String url, Primary primary, Path copy) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        try (RemotePrimary remote = RemotePrimary.of(url);
                Replica replica = Replica.of(copy, remote).open()) {
            if (!replica.awaitFrame(primary.position().frameNo(), Duration.ofMinutes(3))) {
                throw new IOException("no copy: " + replica.status());
            }
            return (System.nanoTime() - begin) / 1e9;
        }
    }

    /** Reads through a second path would drop SQLite's locks when closed, but nobody writes here. */
    private static double plainCopy(Path from, Path to) throws IOException {
        long begin = System.nanoTime();
        try (FileChannel in = FileChannel.open(from);
                FileChannel out = FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long size = in.size();
            for (long done = 0; done < size; ) {
                done += in.transferTo(done, size - done, out);
            }
            out.force(true);
        }
        return (System.nanoTime() - begin) / 1e9;
    }
}
