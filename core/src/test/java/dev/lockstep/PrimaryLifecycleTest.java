package dev.lockstep;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.lockstep.log.LogVerifier;
import dev.lockstep.sqlite.WalAppender;
import dev.lockstep.stream.PageSource;
import dev.lockstep.testing.ChildJvm;
import dev.lockstep.testing.PrimaryProcess;
import dev.lockstep.testing.Workload;
import dev.lockstep.testing.Writers;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Primaries that are opened and closed by impatient threads, and twice. */
class PrimaryLifecycleTest {

    private static final int CLOSES = 25;

    @TempDir
    Path directory;

    private Path database;

    @BeforeEach
    void database() throws Exception {
        database = directory.resolve("app.db");
        try (Connection connection = connect()) {
            execute(connection, "PRAGMA journal_mode=WAL");
            new Workload(connection, 1).create();
        }
    }

    private Connection connect() throws Exception {
        return DriverManager.getConnection("jdbc:sqlite:" + database);
    }

    @Test
    void anInterruptedThreadClosesAPrimaryInOrder() throws Exception {
        try (Writers writers = new Writers(database, 1).jdbc()) {
            for (int i = 0; i < CLOSES; i++) {
                Primary primary = Primary.of(database).open();
                long first = primary.position().frameNo();
                await().until(() -> primary.position().frameNo() > first + 20);
                Thread.currentThread().interrupt();
                primary.close();
                assertThat(Thread.interrupted()).isTrue();
                assertThat(primary.status().failure()).isNull();
                assertThat(primary.position()).isEqualTo(primary.status().durable());
            }
            writers.stop();
        }
        LogVerifier.Result log =
                LogVerifier.verify(directory.resolve("app.db-lockstep").resolve("log"), Progress.NONE);
        assertThat(log.fault()).isNull();
    }

    @Test
    void aSecondOneInTheProcessIsRefusedAndOneInAnotherIsStill() throws Exception {
        try (Primary primary = Primary.of(database).open()) {
            assertThatThrownBy(() -> Primary.of(database).open())
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("another part of this process is the primary of");
            try (ChildJvm other = new ChildJvm(PrimaryProcess.class, Map.of(), database.toString(), "100000")) {
                assertThat(other.exitCode()).isNotZero();
                assertThat(other.output()).contains("another process is the primary of");
            }
            assertThat(primary.status().failure()).isNull();
        }
    }

    @Test
    void whoOpensItIsToldHowFarTheDatabaseWasReadWhereAllOfItHasToBe() throws Exception {
        List<Long> done = new ArrayList<>();
        Set<Long> total = new HashSet<>();
        Progress progress = (bytesDone, bytesTotal) -> {
            done.add(bytesDone);
            total.add(bytesTotal);
        };
        try (Connection connection = connect()) {
            execute(connection, "CREATE TABLE large AS SELECT zeroblob(50000000)");
            try (Primary primary = Primary.of(database).progress(progress).open()) { // a new history
                assertThat(done).startsWith(0L).isSorted().hasSizeGreaterThan(1);
                assertThat(total).containsExactly(Files.size(database));
                execute(connection, "CREATE TABLE small (a)");
                primary.awaitCaptured(Duration.ofMinutes(1));
            }
            done.clear();
            Primary.of(database).progress(progress).open().close();
            assertThat(done).as("the WAL goes on from where the log ends").isEmpty();
        }
        total.clear();
        Primary.of(database).progress(progress).open().close(); // there is no WAL any more
        assertThat(done).startsWith(0L).isSorted().hasSizeGreaterThan(1);
        assertThat(total).containsExactly(Files.size(database));
    }

    /** Otherwise a replica could begin with what a crash of the primary's machine takes from its log. */
    @Test
    void aFirstCopyBeginsWithWhatIsDurable() throws Exception {
        try (Connection connection = connect();
                Primary primary = Primary.of(database).open()) {
            Workload workload = new Workload(connection, 2);
            for (int i = 0; i < 20; i++) {
                workload.small();
                await().pollInterval(Duration.ofMillis(1)).until(() -> isAllCheckpointed(connection));
                try (PageSource pages = primary.openPages()) {
                    assertThat(pages.start().frameNo())
                            .isLessThanOrEqualTo(primary.log().durable().frameNo());
                }
            }
        }
    }

    private static boolean isAllCheckpointed(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("PRAGMA wal_checkpoint(PASSIVE)")) {
            return result.getInt("log") == result.getInt("checkpointed");
        }
    }

    @Test
    void thoseThatWereClosedLeaveNoDescriptorOfADeletedWalIndex() throws Exception {
        Path descriptors = Path.of("/proc/self/fd");
        assumeThat(descriptors).exists();
        for (int i = 0; i < 3; i++) {
            Primary.of(database).open().close();
            WalAppender.open(database).close();
        }
        String index = database + "-shm";
        assertThat(Path.of(index)).doesNotExist();
        try (DirectoryStream<Path> open = Files.newDirectoryStream(descriptors)) {
            for (Path descriptor : open) {
                assertThat(target(descriptor)).doesNotStartWith(index);
            }
        }
    }

    /** Empty for one that was closed meanwhile. */
    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return "";
        }
    }
}
