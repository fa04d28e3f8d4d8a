package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.io.CrashPoint;
import dev.lockstep.io.Storage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real processes that are halted in the middle of the log's steps. */
class LogCrashPointTest {

    private static final FrameLog.Options OPTIONS =
            new FrameLog.Options(30_000, Long.MAX_VALUE, Duration.ofDays(100_000));
    private static final long SEED = 42;

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(value = CrashPoint.class, mode = EnumSource.Mode.MATCH_ALL, names = "LOG_.*")
    void aHaltedWriterLeavesItsHistoryUpToATransactionAndGoesOn(CrashPoint step) throws Exception {
        int hits = step.name().contains("SEGMENT") ? 2 : 20;
        assertThat(runChild(step + ":" + hits))
                .as("the child must reach the step")
                .isEqualTo(137);
        long acknowledged = Long.parseLong(Files.readString(directory.resolve("acknowledged")));

        // The same seed gives the same history.
        History history = new History(new Random(SEED), 512);
        Storage storage = Storage.directory(directory.resolve("log"));
        LogFiles.assertSound(storage);
        try (FrameLog log = FrameLog.open(storage, OPTIONS)) {
            while (history.head().frameNo() < log.head().frameNo()) {
                Child.next(history);
            }
            assertThat(log.head().frameNo()).isGreaterThanOrEqualTo(acknowledged);
            history.cutAfter(log.head().frameNo());
            history.assertSameAs(log, history.start.startFrameNo() - 1, step.name());
            History.Batch more = history.transactions(20, 5);
            more.appendTo(log);
            history.assertSameAs(log, history.start.startFrameNo() - 1, step.name());
        }
        LogFiles.assertSound(storage);
    }

    private int runChild(String crashAt) throws Exception {
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-Dlockstep.crashAt=" + crashAt,
                        Child.class.getName(),
                        directory.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output").toFile())
                .start();
        int exit = child.waitFor();
        assertThat(exit).as(Files.readString(directory.resolve("output"))).isEqualTo(137);
        return exit;
    }

    /** Writes until it is halted; notes what it was told to be durable. */
    static final class Child {

        private Child() {}

        public static void main(String[] args) throws IOException {
            Path directory = Path.of(args[0]);
            History history = new History(new Random(SEED), 512);
            Storage storage = Storage.directory(directory.resolve("log"));
            FrameLog log = FrameLog.create(storage, history.start, OPTIONS);
            for (int i = 0; i < 200; i++) {
                History.Batch batch = next(history);
                batch.appendTo(log);
                if (i % 2 == 0) {
                    Files.writeString(
                            directory.resolve("acknowledged"),
                            Long.toString(log.sync().frameNo()));
                }
            }
        }

        static History.Batch next(History history) {
            return history.transactions(3, 5);
        }
    }
}
