package dev.lockstep.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.NotAReplicaException;
import dev.lockstep.Programs;
import dev.lockstep.RefusedException;
import dev.lockstep.UnavailableException;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.testing.Databases;
import dev.lockstep.testing.History;
import dev.lockstep.testing.Sqlite3;
import dev.lockstep.testing.TestPrimary;
import dev.lockstep.testing.Workload;
import dev.lockstep.verify.PageVerifier;
import dev.lockstep.verify.TestHistory;
import dev.lockstep.verify.VerifiedTransaction;
import dev.lockstep.verify.Verifier;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FirstCopyTest {

    private static final long SEED = 7;

    @TempDir
    Path directory;

    private Path copy;
    private TestPrimary primary;
    private Workload workload;
    private History history;

    @BeforeEach
    void primary() throws Exception {
        Programs.require("sqlite3", "cp");
        copy = directory.resolve("copy.db");
        primary("", 4096);
    }

    private void primary(String name, int pageSize) throws Exception {
        Path source = directory.resolve(name + "source.db");
        try (TestPrimary first = new TestPrimary(source, pageSize, "auto_vacuum=INCREMENTAL")) {
            Workload filler = new Workload(first.connection(), SEED);
            filler.create();
            for (int i = 0; i < 20; i++) {
                filler.any();
            }
            first.capture();
            first.checkpoint();
        }
        primary = new TestPrimary(source, pageSize);
        workload = new Workload(primary.connection(), SEED + 1);
        history = new History(primary.start());
    }

    @AfterEach
    void close() throws Exception {
        primary.close();
    }

    /** Pages read late are newer than the start: a checkpoint in the middle of the reading puts them there. */
    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    void pagesReadWhileTheyChangeAreMendedByTheTransactionsThatFollow(int pageSize) throws Exception {
        primary.close();
        primary("other-", pageSize);
        try (FirstCopy first = begin(false)) {
            List<ByteBuffer> early = primary.pages();
            for (int i = 0; i < 50; i++) {
                workload.any();
                history.add(primary.capture());
            }
            primary.checkpoint();
            List<ByteBuffer> late = primary.pages();
            int pages = early.size();
            PageVerifier verifier = verifier();
            for (int i = 0; i < pages; i++) {
                boolean takeLate = i % 2 == 1 && i < late.size() - 1;
                first.pages(verifier.accept(takeLate ? late.get(i) : early.get(i)));
            }
            first.endOfPages();
            for (VerifiedTransaction transaction : history.after(first.position(), List.of(), Integer.MAX_VALUE)) {
                first.apply(transaction);
            }
            first.finish();
        }
        assertThat(Files.exists(files().temporary())).isFalse();
        workload.small();
        history.add(primary.capture());
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isFalse();
            assertThat(applier.logId()).isEqualTo(primary.start().logId());
            Replicas.catchUp(applier, history, 10);
            Databases.assertSamePages(copy, primary.path());
        }
        Databases.assertSound(copy);
    }

    @Test
    void aCopyWhosePagesAreNotThePrimarysIsRefusedAndNothingIsLeft() throws Exception {
        workload.small();
        history.add(primary.capture());
        primary.checkpoint();
        try (FirstCopy first = begin(false)) {
            addPages(first);
            first.endOfPages();
            assertThatThrownBy(first::finish)
                    .isInstanceOfSatisfying(
                            RefusedException.class,
                            refused -> assertThat(refused.kind()).isEqualTo(RefusedException.Kind.STATE));
        }
        assertThat(Files.exists(copy)).isFalse();
        assertThat(Files.exists(files().record())).isFalse();
        assertThat(Files.exists(files().temporary())).isFalse();
    }

    @Test
    void anExistingDatabaseIsNotReplacedUnlessForced() throws Exception {
        Sqlite3.run(copy, "PRAGMA journal_mode=WAL; CREATE TABLE precious (a);");
        byte[] before = Files.readAllBytes(copy);
        assertThatThrownBy(() -> begin(false))
                .isInstanceOf(NotAReplicaException.class)
                .hasMessageContaining("--force");
        assertThat(Files.readAllBytes(copy)).isEqualTo(before);
        assertThat(directory.toFile().list()).doesNotContain("copy.db-lockstep", "copy.db-lockstep-copy");
        try (FirstCopy first = begin(true)) {
            assertThat(Files.readAllBytes(copy)).isEqualTo(before);
            complete(first);
        }
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isFalse();
            Databases.assertSamePages(copy, primary.path());
        }
    }

    @Test
    void aDatabaseThatAppearsDuringTheCopyIsKeptAndTheCopyWaitsForItsName() throws Exception {
        try (FirstCopy first = begin(false)) {
            Sqlite3.run(copy, "CREATE TABLE precious (a);");
            byte[] before = Files.readAllBytes(copy);
            assertThatThrownBy(() -> complete(first))
                    .isInstanceOf(NotAReplicaException.class)
                    .hasMessageContaining("copy.db-lockstep-copy");
            assertThat(Files.readAllBytes(copy)).isEqualTo(before);
        }
        assertThatThrownBy(() -> Replicas.open(copy)).isInstanceOf(NotAReplicaException.class);
        assertThat(Sqlite3.run(copy, ".tables")).contains("precious");
        Files.move(copy, directory.resolve("precious.db"));
        try (Applier applier = Replicas.open(copy)) {
            assertThat(applier.isInDoubt()).isFalse();
            Databases.assertSamePages(copy, primary.path());
        }
    }

    @Test
    void aDatabaseInUseIsNotReplacedEvenIfForced() throws Exception {
        Sqlite3.run(copy, "PRAGMA journal_mode=WAL; CREATE TABLE precious (a);");
        try (Sqlite3 user = new Sqlite3(copy)) {
            user.ask("SELECT * FROM precious;");
            assertThatThrownBy(() -> begin(true))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("has it open");
        }
        try (FirstCopy first = begin(true)) {
            try (Sqlite3 user = new Sqlite3(copy)) {
                user.ask("SELECT * FROM precious;");
                assertThatThrownBy(() -> complete(first)).isInstanceOf(UnavailableException.class);
                assertThat(user.ask("INSERT INTO precious VALUES (1); SELECT * FROM precious;"))
                        .isEqualTo("1");
            }
        }
    }

    @Test
    void somethingThatIsNoDatabaseIsReplacedOnlyIfForced() throws Exception {
        Files.writeString(copy, "a letter");
        assertThatThrownBy(() -> begin(false)).isInstanceOf(NotAReplicaException.class);
        assertThat(copy).hasContent("a letter");
        try (FirstCopy first = begin(true)) {
            complete(first);
        }
        Databases.assertSamePages(copy, primary.path());
    }

    @ParameterizedTest
    @ValueSource(strings = {"-wal", "-journal"})
    void aLeftoverThatSqliteWouldTakeForAPartOfTheCopyIsRefusedUnlessForced(String suffix) throws Exception {
        Path leftover = directory.resolve("copy.db" + suffix);
        Files.writeString(leftover, "of another database");
        assertThatThrownBy(() -> begin(false))
                .isInstanceOf(NotAReplicaException.class)
                .hasMessageContaining(suffix);
        assertThat(leftover).hasContent("of another database");
        try (FirstCopy first = begin(true)) {
            complete(first);
        }
        assertThat(Files.exists(leftover)).isFalse();
        Databases.assertSamePages(copy, primary.path());
    }

    @Test
    void aLeftoverOfAnEarlierAttemptIsOverwritten() throws Exception {
        Files.write(files().temporary(), new byte[10_000_000]);
        try (FirstCopy first = begin(false)) {
            complete(first);
        }
        assertThat(copy).hasSize(primary.start().startPages() * 4096L);
    }

    @Test
    void twoCopiesOfOneTargetExcludeEachOther() throws Exception {
        try (FirstCopy first = begin(false)) {
            assertThatThrownBy(() -> begin(false)).isInstanceOf(UnavailableException.class);
            complete(first);
        }
        Databases.assertSamePages(copy, primary.path());
    }

    @Test
    void missingPagesAreNoticed() throws Exception {
        try (FirstCopy first = begin(false)) {
            assertThatThrownBy(first::finish).isInstanceOf(IllegalStateException.class);
            assertGrowth(first::endOfPages);
        }
    }

    @Test
    void aDatabaseThatGrowsByMoreThanWasSentIsRefused() throws Exception {
        TestHistory hostile = TestHistory.empty(512, SEED);
        assertGrowth(() -> copyOf(hostile, hostile.head(), hostile.jump(1, 1000)));
    }

    /** As many pages as there would be before this one take hours. */
    @Test
    void aPageBeyondTheEndOfItsTransactionIsLeftOut() throws Exception {
        TestHistory hostile = TestHistory.empty(512, SEED);
        assertThat(copyOf(hostile, hostile.head(), hostile.jump(-16, 1))).isEqualTo(512);
    }

    /** The size of the copy, which is given up. */
    private long copyOf(TestHistory hostile, CommitRecord start, TestHistory.Transaction jump) throws IOException {
        List<VerifiedTransaction> verified = new ArrayList<>();
        try (FirstCopy first = FirstCopy.begin(copy, hostile.start().logId(), 512, start, "the test's primary", false);
                Verifier verifier = new Verifier(512, start, directory, "the test's primary")) {
            first.endOfPages();
            verifier.accept(jump.copy(), List.of(jump.commit()), verified);
            first.apply(verified.get(0));
            return Files.size(files().temporary());
        }
    }

    private static void assertGrowth(ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.kind()).isEqualTo(RefusedException.Kind.GROWTH));
    }

    private ReplicaFiles files() throws IOException {
        return new ReplicaFiles(copy);
    }

    private FirstCopy begin(boolean force) throws IOException {
        CommitRecord start = CommitRecord.before(primary.start());
        return FirstCopy.begin(
                copy, primary.start().logId(), primary.start().pageSize(), start, "the test's primary", force);
    }

    private void complete(FirstCopy first) throws IOException {
        addPages(first);
        first.endOfPages();
        first.finish();
    }

    private void addPages(FirstCopy first) throws IOException {
        PageVerifier verifier = verifier();
        for (ByteBuffer pages : primary.pages()) {
            first.pages(verifier.accept(pages));
        }
    }

    private PageVerifier verifier() {
        return Replicas.verifier(
                CommitRecord.before(primary.start()), primary.start().pageSize());
    }
}
