package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.lockstep.CorruptException;
import dev.lockstep.LockstepException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.io.FaultyStorage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damage to durable bytes is reported, and never repaired by forgetting transactions. */
class LogCorruptionTest {

    private static final FrameLog.Options OPTIONS =
            new FrameLog.Options(15_000, Long.MAX_VALUE, Duration.ofDays(100_000));

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);
    private final History history = new History(random, 512);
    private final FaultyStorage storage = new FaultyStorage(random);

    /** Several segments; the last one closed cleanly or left by a process that was killed. All is durable. */
    private void write(boolean cleanly) throws IOException {
        FrameLog log = FrameLog.create(storage, history.start, OPTIONS);
        for (int i = 0; i < 12; i++) {
            History.Batch batch = history.transactions(1 + random.nextInt(3), 8);
            batch.appendTo(log);
            log.sync();
        }
        if (cleanly) {
            log.close();
        } else {
            storage.restartAfterKill();
        }
    }

    /** Opens and verifies everything; the failure says which file is meant. */
    private static void verify(FaultyStorage damaged, History history) throws IOException {
        try (FrameLog log = FrameLog.open(damaged, OPTIONS)) {
            LogFiles.assertSound(damaged);
            history.assertSameAs(log, history.start.startFrameNo() - 1, "damaged");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aChangedByteAnywhereIsReportedOrHarmless(boolean closedCleanly) throws IOException {
        write(closedCleanly);
        int reported = 0;
        for (int i = 0; i < 800; i++) {
            String name = storage.list().get(random.nextInt(storage.list().size()));
            byte[] bytes = storage.bytes(name);
            // Half of the time within the first bytes, where the headers are, or the last.
            int at = random.nextInt(random.nextInt(4) == 0 ? Math.min(bytes.length, 400) : bytes.length);
            at = random.nextInt(4) == 0 ? bytes.length - 1 - Math.min(at, random.nextInt(300)) : at;
            bytes[at] ^= (byte) (1 + random.nextInt(255));
            FaultyStorage damaged = storage.copy();
            damaged.put(name, bytes);
            try {
                verify(damaged, history);
                assertThat(mayBeChanged(name, at))
                        .as("byte %d of %s of %s, seed %d", at, bytes.length, name, seed)
                        .isTrue();
            } catch (CorruptException | UnsupportedException e) {
                reported++;
                assertThat(e).hasMessageContaining(name.substring(0, 20));
            } catch (AssertionError e) {
                fail("byte " + at + " of " + name + ", seed " + seed, e);
            }
        }
        assertThat(reported).as("seed %d", seed).isGreaterThan(100);
    }

    /** libSQL's server version; the mark, which repeats what the frames prove; and zeros written ahead. */
    private boolean mayBeChanged(String name, int at) throws IOException {
        long start = Segment.startFrameNo(name);
        boolean newest = storage.list().indexOf(name) >= storage.list().size() - 2;
        if (Segment.isFramesName(name)) {
            long end = 64 + (history.head().frameNo() + 1 - start) * history.frameSize;
            return (at >= 56 && at < 64) || (newest && at >= end);
        }
        long records = history.commits().stream()
                .filter(commit -> commit.frameNo() >= start)
                .count();
        return (at >= CommitCodec.MARK && at < CommitCodec.LENGTH)
                || (newest && at >= (CommitCodec.BASE + 1 + records) * CommitCodec.LENGTH);
    }

    @Test
    void aFileThatLostItsEndIsReported() throws IOException {
        write(true);
        for (int i = 0; i < 500; i++) {
            String name = storage.list().get(random.nextInt(storage.list().size()));
            byte[] bytes = storage.bytes(name);
            int length = bytes.length - 1 - random.nextInt(bytes.length);
            FaultyStorage damaged = storage.copy();
            damaged.put(name, Arrays.copyOf(bytes, length));
            try {
                verify(damaged, history);
                assertThat(mayBeChanged(name, length))
                        .as("cut at %d of %s, seed %d", length, name, seed)
                        .isTrue();
            } catch (CorruptException e) {
                assertThat(e).hasMessageContaining(name.substring(0, 20));
            }
        }
    }

    @Test
    void aMissingFileIsReported() throws IOException {
        write(true);
        List<String> names = storage.list();
        for (String name : names) {
            boolean oldest = Segment.startFrameNo(name) == history.start.startFrameNo();
            boolean frames = Segment.isFramesName(name);
            if (frames && oldest) {
                continue; // as after a deletion that was cut off
            }
            FaultyStorage damaged = storage.copy();
            damaged.delete(name);

            assertThatThrownBy(() -> verify(damaged, history))
                    .as("without %s, seed %d", name, seed)
                    .isInstanceOf(IOException.class)
                    .hasMessageMatching(".*(does not continue|" + name + " is missing).*");
        }
    }

    @Test
    void aSegmentOfAnotherHistoryIsReported() throws IOException {
        write(true);
        FaultyStorage other = new FaultyStorage(random);
        History foreign = new History(random, 512);
        FrameLog.create(other, foreign.start, OPTIONS).close();
        String theirs = other.list().get(0);
        String ours = storage.list().stream()
                .filter(Segment::isCommitsName)
                .findFirst()
                .orElseThrow();
        storage.put(ours, other.bytes(theirs));

        assertThatThrownBy(() -> FrameLog.open(storage, OPTIONS))
                .isInstanceOf(LockstepException.class)
                .hasMessageContaining("does not belong to the segment beside it");
    }

    @Test
    void aReaderNamesFileOffsetAndFrameAndKeepsWhatItReadBefore() throws IOException {
        write(true);
        FrameLog log = FrameLog.open(storage, OPTIONS);
        long victim = history.start.startFrameNo() + 2;
        String name = Segment.framesName(history.start.startFrameNo());
        byte[] bytes = storage.bytes(name);
        bytes[64 + 2 * history.frameSize + 100] ^= 1;
        log.close();
        storage.put(name, bytes);
        FrameLog damaged = FrameLog.open(storage, OPTIONS);
        LogReader reader = damaged.reader(history.start.startFrameNo() - 1);
        ByteBuffer one = ByteBuffer.allocate(2 * history.frameSize).order(ByteOrder.LITTLE_ENDIAN);
        List<CommitRecord> commits = new ArrayList<>();

        assertThat(reader.read(one, commits, Long.MAX_VALUE)).isEqualTo(2);
        int known = commits.size();

        assertThatThrownBy(() -> reader.read(one.clear(), commits, Long.MAX_VALUE))
                .isInstanceOf(CorruptException.class)
                .hasMessageContaining(name)
                .hasMessageContaining("Frame " + victim)
                .hasMessageContaining("offset " + (64 + 2 * history.frameSize))
                .hasMessageContaining("checksum");
        assertThat(one.position()).isZero();
        assertThat(commits).hasSize(known);
        assertThat(reader.frameNo()).isEqualTo(victim - 1);
        damaged.close();
    }

    @Test
    void aFailedOpeningChangesNothing() throws IOException {
        write(false);
        String name = storage.list().stream()
                .filter(Segment::isCommitsName)
                .reduce((a, b) -> b)
                .orElseThrow();
        byte[] bytes = storage.bytes(name);
        bytes[(CommitCodec.BASE + 1) * CommitCodec.LENGTH] ^= 1;
        storage.put(name, bytes);
        FaultyStorage before = storage.copy();

        assertThatThrownBy(() -> FrameLog.open(storage, OPTIONS)).isInstanceOf(CorruptException.class);

        for (String file : before.list()) {
            assertThat(storage.bytes(file)).as(file).isEqualTo(before.bytes(file));
        }
    }

    @Test
    void anIntactRecordThatDoesNotFollowIsNotTaken() throws IOException {
        write(false);
        String name = storage.list().get(storage.list().size() - 2);
        byte[] bytes = storage.bytes(name);
        int records = (int) history.commits().stream()
                .filter(commit -> commit.frameNo() >= Segment.startFrameNo(name))
                .count();
        int slot = CommitCodec.LENGTH;
        byte[] longer = Arrays.copyOf(bytes, Math.max(bytes.length, (2 + records + 1) * slot));
        System.arraycopy(bytes, slot, longer, (2 + records) * slot, slot);
        storage.put(name, longer);

        verify(storage, history);
    }
}
