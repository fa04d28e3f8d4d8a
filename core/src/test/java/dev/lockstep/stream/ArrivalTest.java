package dev.lockstep.stream;

import static dev.lockstep.sqlite.SqliteConnections.execute;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Primary;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.LogStart;
import dev.lockstep.stream.ToPrimary.Hello;
import dev.lockstep.stream.ToReplica.SnapshotBegin;
import dev.lockstep.stream.ToReplica.Welcome;
import dev.lockstep.testing.Workload;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a replica is told first, by a primary that nobody followed before: {@code --once} ends there. */
class ArrivalTest {

    @TempDir
    Path directory;

    @Test
    void whatWasCommittedBeforeAReplicaArrivesIsWithinTheHeadThatItIsTold() throws Exception {
        Path database = directory.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            execute(connection, "PRAGMA journal_mode=WAL");
            Workload workload = new Workload(connection, 1);
            workload.create();
            try (Primary primary = Primary.of(database).open()) {
                LogStart start = primary.log().start();
                Place base = Place.of(start.logId(), start.pageSize(), CommitRecord.before(start));
                for (int i = 0; i < 10; i++) {
                    workload.small();
                    ToReplica welcome = first(primary, base, base.frameNo());
                    assertThat(((Welcome) welcome).head()).isEqualTo(captured(primary));
                    workload.small();
                    ToReplica begin = first(primary, null, -1);
                    assertThat(((SnapshotBegin) begin).head()).isEqualTo(captured(primary));
                }
            }
        }
    }

    private static ToReplica first(Primary primary, @Nullable Place position, long reached) throws Exception {
        try (Sender sender = new Sender(primary, SenderOptions.defaults(), System::nanoTime)) {
            sender.receive(new Hello(ToPrimary.PROTOCOL, new UUID(1, 2), "new", position, reached, 1 << 20));
            return requireNonNull(sender.next());
        }
    }

    private static long captured(Primary primary) throws Exception {
        return primary.awaitCaptured(Duration.ofMinutes(1)).frameNo();
    }
}
