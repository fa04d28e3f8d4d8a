package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.lockstep.io.FaultyStorage;
import dev.lockstep.io.Storage;
import dev.lockstep.io.StoredFile;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A log that is closed while others use it, or after a failure. */
class LogCloseTest {

    private final Random random = new Random(7);
    private final History history = new History(random, 512);
    private final FaultyStorage disk = new FaultyStorage(random);

    @ParameterizedTest
    @ValueSource(strings = {"write", "sync"})
    void closingWaitsForTheAppendOrSyncThatIsUnderWay(String held) throws Exception {
        Gate gate = new Gate(disk);
        FrameLog log = FrameLog.create(gate.storage(), history.start, FrameLog.Options.defaults());
        history.transactions(3, 4).appendTo(log);
        History.Batch last = history.transactions(2, 4);
        gate.holdNext(held);
        FutureTask<?> using = new FutureTask<>(() -> {
            if (held.equals("write")) {
                last.appendTo(log);
            } else {
                log.sync();
            }
            return null;
        });
        new Thread(using).start();
        gate.awaitHeld();
        if (held.equals("sync")) {
            last.appendTo(log); // which closing makes durable, after that sync
        }
        FutureTask<?> closing = new FutureTask<>(() -> {
            log.close();
            return null;
        });
        Thread closer = new Thread(closing);
        closer.start();
        await().until(() -> closer.getState() == Thread.State.BLOCKED || !closer.isAlive());
        gate.release();
        using.get();
        closing.get();
        assertThat(log.durable()).isEqualTo(history.head());
        disk.restartAfterPowerLoss();
        try (FrameLog reopened = FrameLog.open(disk, FrameLog.Options.defaults())) {
            history.assertSameAs(reopened, history.start.startFrameNo() - 1, held);
        }
    }

    @Test
    void afterAFailedSyncClosingDoesNotTakeForDurableWhatTheDiskNeverGot() throws Exception {
        for (int operation = 1; operation <= 2; operation++) { // the frames' sync, and the records'
            FaultyStorage failing = new FaultyStorage(random);
            History lost = new History(random, 512);
            FrameLog log = FrameLog.create(failing, lost.start, FrameLog.Options.defaults());
            lost.transactions(2, 4).appendTo(log);
            CommitRecord safe = log.sync();
            lost.transactions(2, 4).appendTo(log);
            failing.failSync(operation);
            assertThatThrownBy(log::sync).hasMessageContaining("Input/output error");
            log.close();
            assertThat(log.durable()).isEqualTo(safe);
            failing.restartAfterPowerLoss();
            try (FrameLog reopened = FrameLog.open(failing, FrameLog.Options.defaults())) {
                lost.cutAfter(reopened.head().frameNo());
                lost.assertSameAs(reopened, lost.start.startFrameNo() - 1, "operation " + operation);
                assertThat(reopened.head().frameNo()).isGreaterThanOrEqualTo(safe.frameNo());
            }
        }
    }

    @Test
    void aClosedLogTakesNothingMoreAndMayBeClosedAgain() throws Exception {
        FrameLog log = FrameLog.create(disk, history.start, FrameLog.Options.defaults());
        history.transactions(3, 4).appendTo(log);
        CommitRecord end = history.head();
        log.close();
        assertThatThrownBy(() -> history.transactions(1, 1).appendTo(log)).hasMessage("the log is closed");
        assertThat(log.failure()).isNull();
        assertThat(log.sync()).isEqualTo(end).isEqualTo(log.head());
        log.close();
    }

    /** Files whose next operation of one kind waits to be let go. */
    private static final class Gate {

        private final Storage files;
        private final CountDownLatch held = new CountDownLatch(1);
        private final CountDownLatch released = new CountDownLatch(1);
        private final AtomicReference<@Nullable String> operation = new AtomicReference<>();

        Gate(Storage files) {
            this.files = files;
        }

        Storage storage() {
            return proxy(Storage.class, files);
        }

        void holdNext(String name) {
            operation.set(name);
        }

        void awaitHeld() throws InterruptedException {
            assertThat(held.await(30, TimeUnit.SECONDS)).isTrue();
        }

        void release() {
            released.countDown();
        }

        private <T> T proxy(Class<T> type, Object behind) {
            return type.cast(Proxy.newProxyInstance(
                    type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
                        if (method.getName().equals(operation.get()) && operation.getAndSet(null) != null) {
                            held.countDown();
                            assertThat(released.await(30, TimeUnit.SECONDS)).isTrue();
                        }
                        Object result = call(behind, method, arguments);
                        return result instanceof StoredFile file ? proxy(StoredFile.class, file) : result;
                    }));
        }

        private static @Nullable Object call(Object behind, Method method, Object[] arguments) throws Exception {
            try {
                return method.invoke(behind, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause() instanceof IOException io ? io : e;
            }
        }
    }
}
