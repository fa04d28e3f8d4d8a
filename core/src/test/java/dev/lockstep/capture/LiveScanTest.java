package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Programs;
import dev.lockstep.Progress;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.WalAppender;
import dev.lockstep.testing.Sqlite3;
import dev.lockstep.testing.Workload;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A database is read while others write to it and checkpoint it. */
class LiveScanTest {

    private static final String[] CHECKPOINTS = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};

    /** Some stripes of a scan. */
    private static final int BYTES = 8 << 20;

    @TempDir
    Path directory;

    @Test
    void checkpointsOfOthersSucceedWhileALargeFileIsRead() throws Exception {
        Programs.require("sqlite3");
        Path database = create(4096, 1);
        Image image = new Image(4096);
        try (Attachment attachment = new Attachment(database);
                LiveScan scan = new LiveScan(attachment, Progress.NONE);
                Sqlite3 other = new Sqlite3(database)) {
            other.ask(".timeout 1000");
            PinnedDatabase state = scan.scan((pageNo, crc, bytes, offset) -> {
                if (image.visits == 0 || image.visits == BYTES / 4096 / 2) {
                    CompletableFuture<Integer> tries = CompletableFuture.supplyAsync(() -> triesForFive(other));
                    while (!tries.isDone()) {
                        scan.movePinWhenDue(); // as before each read, of a disk that is slow just now
                        Thread.onSpinWait();
                    }
                    assertThat(tries.join()).as("tries for five checkpoints").isLessThanOrEqualTo(10);
                }
                image.put(pageNo, crc, bytes, offset);
            });
            image.cut(state.pages());
        }
        image.assertIs(database);
    }

    /** @return how often it had to be tried, 11 if that was not enough */
    private static int triesForFive(Sqlite3 other) {
        int succeeded = 0;
        int tries = 0;
        while (succeeded < 5 && tries <= 10) {
            tries++;
            other.ask("INSERT INTO junk (data) VALUES (randomblob(30000));");
            if (other.ask("PRAGMA wal_checkpoint(RESTART);").startsWith("0|")) {
                succeeded++;
            }
        }
        return tries;
    }

    /** Of many kinds, with checkpoints, at any page of the first round; with small pages a VACUUM makes another round necessary. */
    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    void everyPageThatChangesMeanwhileIsReadAgain(int pageSize) throws Exception {
        long seed = Long.getLong("lockstep.seed", System.nanoTime());
        System.out.println("-Dlockstep.seed=" + seed);
        Random random = new Random(seed);
        Path database = create(pageSize, random.nextLong());
        Image image = new Image(pageSize);
        try (Attachment attachment = new Attachment(database);
                LiveScan scan = new LiveScan(attachment, Progress.NONE);
                Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            execute(connection, "PRAGMA busy_timeout=0");
            execute(connection, "PRAGMA wal_autocheckpoint=" + random.nextInt(2) * 100);
            Workload workload = new Workload(connection, random.nextLong());
            PinnedDatabase state = scan.scan((pageNo, crc, bytes, offset) -> {
                if (pageNo == image.visits + 1 && random.nextInt(BYTES / pageSize / 50 + 1) == 0) {
                    change(connection, workload, random);
                }
                if (random.nextInt(BYTES / pageSize / 100 + 1) == 0) {
                    scan.movePin();
                }
                image.put(pageNo, crc, bytes, offset);
            });
            image.cut(state.pages());
        }
        image.assertIs(database);
    }

    /** The last transaction is made by hand: SQLite's own seem to have a frame for each page that they add, but its format need not. */
    @Test
    void pagesThatWereCutOffAndCameBackWithoutAFrameAreReadAgain() throws Exception {
        Path database = create(4096, 0);
        Image image = new Image(4096);
        try (Attachment attachment = new Attachment(database);
                LiveScan scan = new LiveScan(attachment, Progress.NONE);
                Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            PinnedDatabase state = scan.scan((pageNo, crc, bytes, offset) -> {
                image.put(pageNo, crc, bytes, offset);
                if (image.visits == BYTES / 4096) {
                    change(connection, "DELETE FROM junk", "VACUUM");
                    scan.movePin();
                    change(connection, "PRAGMA wal_checkpoint(PASSIVE)");
                    scan.movePin();
                    change(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
                    grow(LiveDatabase.of(database));
                }
            });
            image.cut(state.pages());
        }
        image.assertIs(database);
    }

    /** Commits page 1 alone, and ten pages more. */
    private static void grow(LiveDatabase database) throws IOException {
        int pages = (int) (database.size() / 4096) + 10;
        ByteBuffer frame = ByteBuffer.allocate(FrameLayout.frameSize(4096)).order(ByteOrder.LITTLE_ENDIAN);
        database.read(0, frame.array(), FrameLayout.HEADER, 4096);
        FrameLayout.putHeader(frame, 0, 0, 0, 1, pages);
        try (WalAppender appender = WalAppender.open(database.path())) {
            appender.begin();
            appender.append(frame, place -> {});
            appender.publish(false);
        }
    }

    private static void change(Connection connection, String... statements) throws IOException {
        try {
            for (String sql : statements) {
                execute(connection, sql);
            }
        } catch (SQLException e) {
            throw new IOException(e);
        }
    }

    private static void change(Connection connection, Workload workload, Random random) throws IOException {
        try {
            switch (random.nextInt(12)) {
                case 0 -> execute(connection, "VACUUM");
                case 1 -> {
                    execute(connection, "DELETE FROM junk WHERE id > 20");
                    execute(connection, "PRAGMA incremental_vacuum");
                    execute(connection, "INSERT INTO junk (data) VALUES (randomblob(3000000))");
                }
                case 2, 3, 4 -> execute(connection, "PRAGMA wal_checkpoint(" + CHECKPOINTS[random.nextInt(4)] + ")");
                default -> workload.any();
            }
        } catch (SQLException e) {
            assertThat(e.getMessage()).as("only checkpoints may wait").contains("locked");
        }
    }

    private Path create(int pageSize, long seed) throws Exception {
        Path database = directory.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            execute(connection, "PRAGMA page_size=" + pageSize);
            execute(connection, "PRAGMA auto_vacuum=" + Math.floorMod(seed, 3));
            execute(connection, "PRAGMA journal_mode=WAL");
            new Workload(connection, seed).create();
            for (int i = 0; i < 100; i++) {
                execute(connection, "INSERT INTO junk (data) VALUES (randomblob(" + BYTES / 100 + "))");
            }
        }
        return database;
    }

    /** What was visited. */
    private static final class Image {

        private final int pageSize;
        private byte[] bytes = new byte[4 * BYTES];

        /** The highest page visited. */
        private int pages;

        private int visits;

        Image(int pageSize) {
            this.pageSize = pageSize;
        }

        void put(int pageNo, long crc, byte[] from, int offset) {
            assertThat(crc).isEqualTo(Crc64.of(ByteBuffer.wrap(from), offset, pageSize));
            if (pageNo * pageSize > bytes.length) {
                bytes = Arrays.copyOf(bytes, 2 * pageNo * pageSize);
            }
            System.arraycopy(from, offset, bytes, (pageNo - 1) * pageSize, pageSize);
            pages = Math.max(pages, pageNo);
            visits++;
        }

        void cut(int size) {
            assertThat(pages).isGreaterThanOrEqualTo(size);
            pages = size;
        }

        /** @param database closed by all, so that its file is all there is */
        void assertIs(Path database) throws IOException {
            assertThat(database.resolveSibling("app.db-wal")).doesNotExist();
            byte[] expected = Files.readAllBytes(database);
            assertThat(pages * pageSize).as("bytes").isEqualTo(expected.length);
            int difference = Arrays.mismatch(bytes, 0, expected.length, expected, 0, expected.length);
            assertThat(difference < 0 ? 0 : difference / pageSize + 1)
                    .as("the first page that differs")
                    .isZero();
        }
    }
}
