package dev.lockstep.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.Programs;
import dev.lockstep.testing.Databases;
import dev.lockstep.testing.Sqlite3;
import dev.lockstep.testing.TestPrimary;
import dev.lockstep.testing.TestPrimary.Delivery;
import dev.lockstep.testing.Workload;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WalAppenderTest {

    private static final WalAppender.CommitListener IGNORE = place -> {};

    @TempDir
    Path directory;

    Path source;
    Path copy;

    @BeforeEach
    void paths() {
        Programs.require("sqlite3", "cp");
        source = directory.resolve("source.db");
        copy = directory.resolve("copy.db");
    }

    @ParameterizedTest
    @CsvSource({
        "512,false",
        "512,true",
        "1024,false",
        "2048,false",
        "4096,false",
        "4096,true",
        "8192,false",
        "16384,false",
        "32768,false",
        "65536,false",
        "65536,true"
    })
    void appendedFramesAreReadByOpenConnectionsByNewOnesAndByARecovery(int pageSize, boolean bigEndian)
            throws Exception {
        try (TestPrimary primary = primary(pageSize);
                WalAppender appender = WalAppender.open(copy, bigEndian);
                Connection open = DriverManager.getConnection("jdbc:sqlite:" + copy);
                Statement reader = open.createStatement();
                Sqlite3 foreign = new Sqlite3(copy)) {
            long seed = System.nanoTime();
            Workload workload = new Workload(primary.connection(), seed);
            for (int i = 0; i < 25; i++) {
                workload.any();
                append(appender, primary.capture());
                long counter = counter(primary);
                assertThat(Workload.check(reader)).as("seed %d", seed).isEqualTo(counter);
                assertThat(Workload.check(foreign.ask(Workload.STATE + ";"))).isEqualTo(counter);
            }
            assertThat(foreign.ask("PRAGMA integrity_check;")).isEqualTo("ok");
            Databases.assertSamePages(recoveredElsewhere(), source);
            appender.reset(0);
        }
        assertThat(Files.readAllBytes(copy)).isEqualTo(Files.readAllBytes(source));
    }

    @Test
    void durableAppendsWithZerosAheadOfThemAreRecovered() throws Exception {
        try (TestPrimary primary = primary(4096);
                WalAppender appender = WalAppender.open(copy)) {
            Workload workload = new Workload(primary.connection(), 3);
            for (int i = 0; i < 60; i++) {
                workload.small();
                appender.begin();
                appender.append(primary.capture().frames(), IGNORE);
                long end = WalFormat.frameOffset(appender.publish(true).frame() + 1, 4096);
                assertThat(Files.size(LiveDatabase.of(copy).walPath())).isGreaterThanOrEqualTo(end);
                if (i % 20 == 19) {
                    Databases.assertSamePages(recoveredElsewhere(), source);
                    appender.reset(0);
                }
            }
            Databases.assertSamePages(copy, source);
        }
    }

    @Test
    void aTransactionOfManyIndexBlocksComesInChunksAndIsVisibleOnlyWhenPublished() throws Exception {
        try (TestPrimary primary = primary(512);
                WalAppender appender = WalAppender.open(copy);
                Connection open = DriverManager.getConnection("jdbc:sqlite:" + copy);
                Statement reader = open.createStatement()) {
            Workload workload = new Workload(primary.connection(), 1);
            workload.small();
            execute(primary, "INSERT INTO junk (data) VALUES (zeroblob(7000000))");
            Delivery delivery = primary.capture();
            int frames = delivery.frames().limit() / (24 + 512);
            assertThat(frames).isGreaterThan(4062 + 2 * 4096);
            appender.begin();
            for (int frame = 0; frame < frames; frame += 1000) {
                int bytes = Math.min(1000, frames - frame) * (24 + 512);
                appender.append(delivery.frames().slice(frame * (24 + 512), bytes), IGNORE);
                assertThat(Workload.check(reader)).isZero();
            }
            WalPlace place = appender.publish(true);
            assertThat(place.frame()).isEqualTo(frames);
            assertThat(Workload.check(reader)).isEqualTo(1);
            Databases.assertSamePages(copy, source);
            assertThat(Sqlite3.run(copy, "PRAGMA integrity_check;")).isEqualTo("ok");
        }
    }

    @Test
    void severalTransactionsInOnePublishCountAsSeveralCommitsAndEachIsAnnouncedWithItsPlace() throws Exception {
        try (TestPrimary primary = primary(4096);
                WalAppender appender = WalAppender.open(copy)) {
            Workload workload = new Workload(primary.connection(), 1);
            List<WalPlace> places = new ArrayList<>();
            WalIndexHeader header = new WalIndexHeader();
            LiveDatabase.of(copy).walIndex().read(header);
            int before = header.change();
            appender.begin();
            for (int i = 0; i < 5; i++) {
                workload.small();
                appender.append(primary.capture().frames(), places::add);
            }
            WalPlace place = appender.publish(false);
            LiveDatabase.of(copy).walIndex().read(header);
            assertThat(header.change()).isEqualTo(before + 5);
            assertThat(places).hasSize(5).last().isEqualTo(place).isEqualTo(WalPlace.of(header));
        }
    }

    @Test
    void abortedAppendsLeaveNothingBehindAndDoNotFillTheHashTable() throws Exception {
        try (TestPrimary primary = primary(512);
                WalAppender appender = WalAppender.open(copy)) {
            Workload workload = new Workload(primary.connection(), 1);
            workload.small();
            append(appender, primary.capture());
            long size = Files.size(LiveDatabase.of(copy).walPath());
            execute(primary, "INSERT INTO junk (data) VALUES (zeroblob(1900000))");
            workload.small();
            Delivery large = primary.capture();
            for (int i = 0; i < 10; i++) {
                appender.begin();
                appender.append(large.frames(), IGNORE);
                appender.abort();
                assertThat(LiveDatabase.of(copy).walPath()).hasSize(size);
                assertThat(Workload.check(Sqlite3.run(copy, Workload.STATE + ";")))
                        .isEqualTo(1);
            }
            append(appender, large);
            assertThat(Workload.check(Sqlite3.run(copy, Workload.STATE + ";"))).isEqualTo(2);
            Databases.assertSamePages(copy, source);
        }
    }

    @Test
    void aCommitOfAnotherProgramIsReportedOnceAndUnderTheLockSoThatNoneComesUnseenAfterIt() throws Exception {
        try (TestPrimary primary = primary(4096);
                WalAppender appender = WalAppender.open(copy)) {
            new Workload(primary.connection(), 1).small();
            append(appender, primary.capture());
            Sqlite3.run(copy, "UPDATE account SET balance = 0;");
            assertThatThrownBy(appender::begin)
                    .isInstanceOf(ForeignCommitException.class)
                    .hasMessageContaining("copy.db was changed by another program");
            try (Sqlite3 other = new Sqlite3(copy)) {
                assertThat(other.ask("BEGIN IMMEDIATE;")).contains("database is locked");
            }
            appender.abort();
            appender.begin();
            appender.abort();
            Sqlite3.run(copy, "UPDATE account SET balance = 1; PRAGMA wal_checkpoint(TRUNCATE);");
            assertThatThrownBy(appender::begin).isInstanceOf(ForeignCommitException.class);
        }
    }

    @Test
    void checkpointsAndResetsByOtherProgramsAreNoForeignCommits() throws Exception {
        try (TestPrimary primary = primary(4096);
                WalAppender appender = WalAppender.open(copy)) {
            Workload workload = new Workload(primary.connection(), 1);
            for (String mode : List.of("PASSIVE", "FULL", "RESTART", "TRUNCATE", "TRUNCATE")) {
                workload.any();
                append(appender, primary.capture());
                assertThat(Sqlite3.run(copy, "PRAGMA wal_checkpoint(" + mode + ");"))
                        .startsWith("0|");
            }
            Databases.assertSamePages(copy, source);
        }
    }

    @Test
    void aResetWaitsForReadersNoLongerThanAskedAndIsPossibleWhenTheyAreGone() throws Exception {
        try (TestPrimary primary = primary(4096);
                WalAppender appender = WalAppender.open(copy);
                Sqlite3 reader = new Sqlite3(copy)) {
            Workload workload = new Workload(primary.connection(), 1);
            workload.small();
            append(appender, primary.capture());
            assertThat(Workload.check(reader.ask("BEGIN; " + Workload.STATE + ";")))
                    .isEqualTo(1);
            workload.small();
            append(appender, primary.capture());
            int frames = appender.place().frame();
            assertThat(appender.backfill()).isPositive().isLessThan(frames);
            assertThat(appender.reset(1)).isFalse();
            assertThat(Workload.check(reader.ask(Workload.STATE + ";"))).isEqualTo(1);
            workload.small();
            append(appender, primary.capture());
            assertThat(Workload.check(reader.ask(Workload.STATE + "; COMMIT;"))).isEqualTo(1);
            assertThat(appender.backfill()).isEqualTo(appender.place().frame());
            assertThat(appender.reset(1000)).isTrue();
            assertThat(LiveDatabase.of(copy).walPath()).hasSize(0);
            assertThat(Workload.check(reader.ask(Workload.STATE + ";"))).isEqualTo(3);
        }
    }

    @Test
    void theAnchorKeepsNoPageOneFromBeforeAShrink() throws Exception {
        try (TestPrimary primary = primary(4096)) {
            execute(primary, "INSERT INTO junk (data) VALUES (zeroblob(1000000))");
            Delivery growth = primary.capture();
            execute(primary, "DELETE FROM junk");
            execute(primary, "VACUUM");
            Delivery shrink = primary.capture();
            new Workload(primary.connection(), 1).small();
            Delivery after = primary.capture();
            try (WalAppender appender = WalAppender.open(copy)) {
                append(appender, growth);
            }
            try (WalAppender appender = WalAppender.open(copy)) {
                append(appender, shrink);
                append(appender, after);
                Databases.assertSamePages(copy, source);
            }
        }
    }

    /** Old SQLite versions left such page ones behind; SQLite repairs them in the next write transaction, even an empty one. */
    @Test
    void theAnchorDoesNotRepairAPageOneWhoseSizeFieldIsStale() throws Exception {
        try (TestPrimary primary = primary(4096);
                WalAppender appender = WalAppender.open(copy)) {
            execute(primary, "PRAGMA user_version=7");
            Delivery delivery = primary.capture();
            ByteBuffer pageOne = delivery.frames().slice(24, 4096).order(ByteOrder.BIG_ENDIAN);
            assertThat(delivery.frames().limit()).isEqualTo(24 + 4096);
            pageOne.putInt(28, pageOne.getInt(28) - 1).putInt(92, 0);
            append(appender, delivery);
            WalPlace place = appender.place();
            for (int i = 0; i < 3; i++) {
                assertThat(appender.begin()).isEqualTo(place);
                assertThat(appender.publish(false)).isEqualTo(place);
            }
        }
    }

    @Test
    void aTransactionWithoutItsCommitFrameCannotBePublished() throws Exception {
        try (TestPrimary primary = primary(4096);
                WalAppender appender = WalAppender.open(copy)) {
            new Workload(primary.connection(), 1).small();
            Delivery delivery = primary.capture();
            appender.begin();
            appender.append(delivery.frames().slice(0, 24 + 4096), IGNORE);
            assertThatThrownBy(() -> appender.publish(false)).isInstanceOf(IllegalStateException.class);
        }
        assertThat(Workload.check(Sqlite3.run(copy, Workload.STATE + ";"))).isZero();
    }

    /** A primary with the tables in it, and a copy of that state. */
    private TestPrimary primary(int pageSize) throws IOException, SQLException {
        TestPrimary primary = new TestPrimary(source, pageSize, "auto_vacuum=INCREMENTAL");
        new Workload(primary.connection(), 0).create();
        primary.capture();
        primary.copyTo(copy);
        return primary;
    }

    private static void append(WalAppender appender, Delivery delivery) throws IOException {
        appender.begin();
        appender.append(delivery.frames(), IGNORE);
        appender.publish(false);
    }

    private static void execute(TestPrimary primary, String sql) throws SQLException {
        SqliteConnections.execute(primary.connection(), sql);
    }

    private static long counter(TestPrimary primary) throws SQLException {
        try (Statement statement = primary.connection().createStatement()) {
            return Workload.check(statement);
        }
    }

    /** Copies the files to another place, where SQLite must recover them from the WAL alone, checksums and all. */
    private Path recoveredElsewhere() throws IOException {
        Path elsewhere = directory.resolve("elsewhere.db");
        Sqlite3.copy(copy, elsewhere);
        Sqlite3.copy(directory.resolve("copy.db-wal"), directory.resolve("elsewhere.db-wal"));
        return elsewhere;
    }
}
