package dev.lockstep.stream;

import dev.lockstep.io.Storage;
import dev.lockstep.log.Commit;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Crc64;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.PageCrcs;
import dev.lockstep.verify.TestHistory;
import dev.lockstep.verify.TestHistory.Transaction;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** A primary without SQLite: a random history, appended to a real log. One thread appends. */
public final class HistoryOrigin implements Origin, Closeable {

    private final String name;
    private final TestHistory history;
    private final FrameLog log;
    private final Random random;

    /** Pages that changed since the last {@link #openPages}. Guarded by this, as is the history. */
    private final Set<Integer> changed = new HashSet<>();

    private Runnable whilePagesAreRead = () -> {};

    public HistoryOrigin(String name, Path directory, int pageSize, long seed) throws IOException {
        this(name, directory, TestHistory.empty(pageSize, seed), FrameLog.Options.defaults());
    }

    public HistoryOrigin(String name, Path directory, TestHistory history, FrameLog.Options options)
            throws IOException {
        this.name = name;
        this.history = history;
        this.random = new Random(history.start().hashCode());
        Storage storage = Storage.directory(directory);
        this.log = FrameLog.exists(storage)
                ? FrameLog.open(storage, options)
                : FrameLog.create(storage, history.start(), options);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public FrameLog log() {
        return log;
    }

    public TestHistory history() {
        return history;
    }

    /** Commits transactions of 1 to that many frames and makes them durable. */
    public void commit(int transactions, int maxFrames) throws IOException {
        commitUnsynced(transactions, maxFrames);
        log.sync();
    }

    public synchronized void commitUnsynced(int transactions, int maxFrames) throws IOException {
        for (int i = 0; i < transactions; i++) {
            append(history.next(1 + random.nextInt(maxFrames)));
        }
    }

    /** One transaction of exactly that many frames, durable. */
    public synchronized void commitOne(int frames) throws IOException {
        append(history.next(frames));
        log.sync();
    }

    private void append(Transaction next) throws IOException {
        ByteBuffer frames = next.copy();
        PageCrcs crcs = new PageCrcs(log.start().pageSize());
        for (int at = 0; at < frames.limit(); at += history.frameSize()) {
            changed.add(FrameLayout.pageNo(frames, at));
            crcs.add(frames, at);
        }
        CommitRecord c = next.commit();
        log.append(frames, crcs, List.of(new Commit(frames.limit(), c.timeMillis(), c.stateChecksum(), c.wal())));
        if (!log.head().equals(c)) {
            throw new AssertionError("the log made " + log.head() + " of " + c);
        }
    }

    /** Runs between the reads of a copy, for instance to commit. */
    public void whilePagesAreRead(Runnable action) {
        whilePagesAreRead = action;
    }

    @Override
    public synchronized PageSource openPages() {
        changed.clear();
        return new FuzzyPages();
    }

    @Override
    public void close() throws IOException {
        log.close();
    }

    /** Pages as they are when they are read; those that changed meanwhile come torn, that is as noise, half of the time. */
    private final class FuzzyPages implements PageSource {

        private final CommitRecord start = log.head();
        private final FrameLog.Hold hold = log.hold(start.frameNo());
        private final int pages = history.pages().size();
        private int next = 1;

        @Override
        public CommitRecord start() {
            return start;
        }

        @Override
        public int pages() {
            return pages;
        }

        @Override
        public int read(ByteBuffer dst) {
            whilePagesAreRead.run();
            int count = 0;
            synchronized (HistoryOrigin.this) {
                while (next <= pages && dst.remaining() >= history.frameSize()) {
                    put(dst, dst.position());
                    dst.position(dst.position() + history.frameSize());
                    next++;
                    count++;
                }
            }
            return count;
        }

        private void put(ByteBuffer dst, int at) {
            byte[] page = history.pages().get(next);
            if (page == null || (changed.contains(next) && random.nextBoolean())) {
                page = new byte[history.pageSize()];
                random.nextBytes(page);
            }
            dst.put(at + FrameLayout.HEADER, page);
            long crc = Crc64.of(dst, at + FrameLayout.HEADER, history.pageSize());
            FrameLayout.putHeader(dst, at, start.frameNo(), crc, next, 0);
        }

        @Override
        public long consistentAt() {
            try {
                return log.sync().frameNo();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            hold.close();
        }
    }
}
