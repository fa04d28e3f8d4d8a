package dev.lockstep.capture;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.sqlite.SqliteConnections;
import java.nio.file.Path;
import java.sql.Connection;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Time is given, so that nothing here depends on how fast the machine is. */
class BrakeTest {

    private static final long TOO_MUCH = Brake.LIMIT_BYTES;
    private static final long BEARABLE = Brake.LIMIT_BYTES - 1;

    @TempDir
    Path directory;

    private Connection mine;
    private Connection writers;
    private Brake brake;

    @BeforeEach
    void attach() throws Exception {
        Path database = directory.resolve("app.db");
        mine = SqliteConnections.openWal(database);
        writers = SqliteConnections.open(database);
        execute(writers, "PRAGMA busy_timeout=0");
        brake = new Brake(new WriteLock(database, mine), TOO_MUCH, 0);
    }

    @AfterEach
    void detach() throws Exception {
        writers.close();
        mine.close();
    }

    @Test
    void writersThatTheDiskKeepsUpWithAreNeverHeldUp() throws Exception {
        for (long now = 0; now < 10 * Brake.HOLD_NANOS; now += Brake.HOLD_NANOS / 10) {
            brake.step(BEARABLE, now);
            assertWritable();
        }
    }

    @Test
    void writersThatOutrunTheDiskAreHeldUpForAWhileAndHaveTheirTurnInBetween() throws Exception {
        long now = 0;
        for (int turn = 0; turn < 3; turn++) {
            brake.step(TOO_MUCH, now);
            assertHeldUp();
            brake.step(TOO_MUCH, now + Brake.HOLD_NANOS - 1);
            assertHeldUp();
            now += Brake.HOLD_NANOS;
            brake.step(TOO_MUCH, now);
            assertWritable();
            brake.step(TOO_MUCH, now + Brake.PAUSE_NANOS - 1);
            assertWritable();
            now += Brake.PAUSE_NANOS;
        }
    }

    @Test
    void theBrakeIsOffAsSoonAsTheDiskHasCaughtUp() throws Exception {
        brake.step(TOO_MUCH, 0);
        brake.step(BEARABLE, 1);
        assertWritable();
    }

    private void assertHeldUp() {
        assertThatThrownBy(() -> execute(writers, "BEGIN IMMEDIATE")).hasMessageContaining("SQLITE_BUSY");
    }

    private void assertWritable() throws Exception {
        execute(writers, "BEGIN IMMEDIATE");
        execute(writers, "ROLLBACK");
    }
}
