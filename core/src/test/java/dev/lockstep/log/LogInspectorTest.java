package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.UnsupportedException;
import dev.lockstep.io.Storage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogInspectorTest {

    private final Random random = new Random(7);
    private final History history = new History(random, 512);

    @TempDir
    Path directory;

    @BeforeEach
    void write() throws IOException {
        FrameLog.Options options = new FrameLog.Options(15_000, Long.MAX_VALUE, Duration.ofDays(100_000));
        try (FrameLog log = FrameLog.create(Storage.directory(directory), history.start, options)) {
            for (int i = 0; i < 20; i++) {
                History.Batch batch = history.transactions(2, 6);
                batch.appendTo(log);
            }
        }
    }

    private static List<LogInspector.Transaction> transactions(Path path) throws IOException {
        List<LogInspector.Transaction> found = new ArrayList<>();
        LogInspector.transactions(path, found::add);
        return found;
    }

    @Test
    void visitsAllTransactionsInOrderAndStopsWhenTold() throws IOException {
        List<LogInspector.Transaction> found = transactions(directory);

        assertThat(found).hasSize(history.transactions());
        long next = history.start.startFrameNo();
        for (int i = 0; i < found.size(); i++) {
            LogInspector.Transaction transaction = found.get(i);
            CommitRecord commit = history.commits().get(i + 1);
            assertThat(transaction.commit()).isEqualTo(commit);
            assertThat(transaction.firstFrameNo()).isEqualTo(next);
            assertThat(transaction.lastFrameNo()).isEqualTo(commit.frameNo());
            assertThat(transaction.frames()).isEqualTo(commit.frameNo() + 1 - next);
            assertThat(transaction.checksum()).isEqualTo(commit.checksum());
            next = commit.frameNo() + 1;
        }
        List<LogInspector.Transaction> some = new ArrayList<>();
        LogInspector.transactions(directory, transaction -> {
            some.add(transaction);
            return some.size() < 17;
        });
        assertThat(some).isEqualTo(found.subList(0, 17));
    }

    @Test
    void showsAFrameBetweenItsNeighbours() throws IOException {
        long last = history.head().frameNo();
        LogInspector.Frame before = LogInspector.frame(directory, history.start.startFrameNo());
        assertThat(before.previousChecksum()).isEqualTo(history.start.startChecksum());
        for (long frameNo = before.frameNo() + 1; frameNo <= last; frameNo++) {
            LogInspector.Frame frame = LogInspector.frame(directory, frameNo);
            assertThat(frame.frameNo()).isEqualTo(frameNo);
            assertThat(frame.previousChecksum()).isEqualTo(before.checksum());
            assertThat(frame.continuesTheChain()).isTrue();
            assertThat(before.nextChecksum()).isEqualTo(frame.checksum());
            before = frame;
        }
        assertThat(before.nextChecksum()).isNull();
        assertThat(before.checksum()).isEqualTo(history.head().checksum());
        assertThat(before.sizeAfter()).isEqualTo(history.head().sizeAfter());
        assertThatThrownBy(() -> LogInspector.frame(directory, last + 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void looksIntoFilesOfLibsql() throws IOException {
        Path wallog = SharedFiles.libsql("test_wallog");
        List<LogInspector.Transaction> found = transactions(wallog);
        assertThat(found).hasSize(6);
        assertThat(found.get(0)).isEqualTo(new LogInspector.Transaction(0, 1, 0xa521dbfe7ce6ca0bL, 2, null));

        LogInspector.Frame frame = LogInspector.frame(wallog, 1);
        assertThat(frame.offset()).isEqualTo(4120);
        assertThat(frame.pageNo()).isEqualTo(2);
        assertThat(frame.pageType()).isEqualTo("table leaf");
        assertThat(frame.previousChecksum()).isEqualTo(0xf22f9be87e60d566L);
        assertThat(frame.nextChecksum()).isEqualTo(0xcbd309b98edb18c5L);
        assertThat(frame.continuesTheChain()).isTrue();
        assertThat(LogInspector.frame(wallog, 0).pageType()).isEqualTo("table leaf");

        assertThatThrownBy(() -> transactions(SharedFiles.libsql("snapshot.snap")))
                .isInstanceOf(UnsupportedException.class);
    }
}
