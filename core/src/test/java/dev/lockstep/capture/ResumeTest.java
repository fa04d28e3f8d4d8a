package dev.lockstep.capture;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.Primary;
import dev.lockstep.Programs;
import dev.lockstep.Progress;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.WalMark;
import dev.lockstep.pages.PageIndex;
import dev.lockstep.sqlite.WalIndexHeader;
import dev.lockstep.testing.LogCheck;
import dev.lockstep.testing.Sqlite3;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Capture goes on in a WAL to which others wrote while there was none, and which they copied into the database file. */
class ResumeTest {

    private static final String UPDATE = "UPDATE t SET v = randomblob(3000) WHERE id = ";

    @TempDir
    Path directory;

    private Path database;
    private LogCheck check;
    private FrameLog log;
    private CaptureOpener opener;
    private Sqlite3 writer;
    private PageIndex index;

    @BeforeEach
    void writtenToWhileNobodyCaptures() throws Exception {
        Programs.require("sqlite3", "cp");
        database = directory.resolve("app.db");
        Sqlite3.run(
                database,
                "PRAGMA journal_mode=WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB);"
                        + " WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 60)"
                        + " INSERT INTO t SELECT n, randomblob(3000) FROM i;");
        Path base = directory.resolve("base.db");
        Sqlite3.copy(database, base);
        check = new LogCheck(base, 4096);
        writer = new Sqlite3(database); // which keeps the WAL
        writer.ask(".timeout 10000\nPRAGMA wal_autocheckpoint=0; SELECT count(*) FROM t;");
        try (Sqlite3 reader = new Sqlite3(database)) {
            reader.ask(
                    "BEGIN; SELECT count(*) FROM t;"); // so that no checkpoint of the primary lets the writer begin the
            // WAL anew
            try (Primary primary = Primary.of(database).open()) {
                writer.ask(UPDATE + "1;");
                primary.awaitCaptured(Duration.ofMinutes(1));
            }
        }
        writer.ask(UPDATE + "7;");
        assertThat(writer.ask("PRAGMA wal_checkpoint(PASSIVE);")).isEqualTo("0|2|2");
        CaptureOpener.Home home =
                CaptureOpener.Home.in(directory.resolve("app.db-lockstep"), FrameLog.Options.defaults());
        log = FrameLog.open(home.storage(), home.options());
        opener = new CaptureOpener(database, home, InstantSource.system());
        index = requireNonNull(PageIndex.open(home.pageIndex(), log));
    }

    @AfterEach
    void close() throws Exception {
        writer.close();
        log.close();
    }

    @Test
    void whatFollowedIsCapturedAlthoughTheNextWriterResetsTheWal() throws Exception {
        WalMark mark = log.head().wal();
        try (Attachment attachment = new Attachment(database)) {
            WalIndexHeader held = requireNonNull(CaptureOpener.held(attachment, mark));
            try (Capture capture = opener.goOn(attachment, log, index, mark, held)) {
                writer.ask(UPDATE + "3;");
                assertThat(capture.catchUp()).isTrue();
            }
        }
        assertTheLogIsTheDatabase();
    }

    @Test
    void whatAResetTakesAwayBeforeItIsReadIsMissedAndFoundByComparison() throws Exception {
        WalMark mark = log.head().wal();
        try (Attachment attachment = new Attachment(database)) {
            WalIndexHeader held = requireNonNull(CaptureOpener.held(attachment, mark));
            writer.ask(UPDATE + "3; " + UPDATE + "4;");
            assertThatThrownBy(() -> opener.goOn(attachment, log, index, mark, held))
                    .isInstanceOf(MissedFramesException.class);
        }
        opener.open(log, Progress.NONE).close();
        assertTheLogIsTheDatabase();
    }

    private void assertTheLogIsTheDatabase() throws Exception {
        writer.close();
        check.execute(log);
        check.assertIs(database);
    }
}
