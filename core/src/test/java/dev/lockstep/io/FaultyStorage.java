package dev.lockstep.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A disk in memory on which the power can fail. What was not synced is then lost sector by sector: each write or truncation since
 * the last sync, and each name created or deleted since the last directory sync, survives by the toss of a coin.
 *
 * <p>Thread-safe.
 */
public final class FaultyStorage implements Storage {

    private static final int SECTOR = 512;

    /** Thrown by the operation during which the power fails, and by all that follow. */
    public static final class PowerLoss extends IOException {
        private static final long serialVersionUID = 1L;

        PowerLoss() {
            super("power loss");
        }
    }

    /** Thrown by a sync that failed. */
    public static final class SyncFailure extends IOException {
        private static final long serialVersionUID = 1L;

        SyncFailure() {
            super("Input/output error");
        }
    }

    private final Random random;

    /** The names programs see. */
    private final TreeMap<String, Content> names = new TreeMap<>();

    /** The names on the disk. */
    private TreeMap<String, Content> durableNames = new TreeMap<>();

    private int operationsUntilPowerLoss = Integer.MAX_VALUE;
    private int operationsUntilDiskFull = Integer.MAX_VALUE;
    private int syncsUntilOneFails = Integer.MAX_VALUE;
    private boolean powerLost;

    public FaultyStorage(Random random) {
        this.random = random;
    }

    /** A byte array that grows, or null sectors; with the operations since the last sync. */
    private final class Content {
        byte[] cached = new byte[0];
        byte[] durable = new byte[0];
        List<Change> pending = new ArrayList<>();

        void apply(Change change) {
            cached = change.on(cached);
            pending.add(change);
        }

        /** What the disk holds after a power loss, when each sector's change survives with the probability. */
        void losePower(double survival) {
            settle(survivor(survival));
        }

        private byte[] survivor(double survival) {
            byte[] survivor = durable;
            for (Change change : pending) {
                for (Change part : change.sectors()) {
                    if (random.nextDouble() < survival) {
                        survivor = part.on(survivor);
                    }
                }
            }
            return survivor;
        }

        /** All pending changes reach the disk. */
        void sync() {
            for (Change change : pending) {
                durable = change.on(durable);
            }
            pending.clear();
        }

        /** As Linux does: the pages count as clean, and some of them the disk never got. */
        void failToSync() {
            durable = survivor(0.5);
            pending.clear();
        }

        void settle(byte[] bytes) {
            cached = bytes;
            durable = bytes;
            pending = new ArrayList<>();
        }
    }

    /** A write of bytes at a position, or without bytes a truncation to it. */
    private record Change(int position, ByteBuffer bytes, boolean truncation) {

        byte[] on(byte[] before) {
            if (truncation) {
                return before.length <= position ? before : Arrays.copyOf(before, position);
            }
            byte[] after = Arrays.copyOf(before, Math.max(before.length, position + bytes.remaining()));
            bytes.get(0, after, position, bytes.remaining());
            return after;
        }

        List<Change> sectors() {
            if (truncation) {
                return List.of(this);
            }
            List<Change> sectors = new ArrayList<>();
            for (int from = 0; from < bytes.remaining(); ) {
                int to = Math.min(bytes.remaining(), (position + from) / SECTOR * SECTOR + SECTOR - position);
                sectors.add(new Change(position + from, bytes.slice(from, to - from), false));
                from = to;
            }
            return sectors;
        }
    }

    /** The power fails during the n-th write, truncation, sync, creation or deletion from now. */
    public synchronized void losePowerAtOperation(int n) {
        operationsUntilPowerLoss = n;
    }

    /** The n-th write from now, counted with all other changes, writes half of its bytes and throws. Once. */
    public synchronized void fillDiskAtOperation(int n) {
        operationsUntilDiskFull = n;
    }

    /** The n-th sync of a file from now throws. Once. */
    public synchronized void failSync(int n) {
        syncsUntilOneFails = n;
    }

    public synchronized boolean powerLost() {
        return powerLost;
    }

    /** The machine stops here, and starts again with what the disk has kept. */
    public synchronized void restartAfterPowerLoss() {
        double survival = new double[] {0, 0.5, 0.9, 1, random.nextDouble()}[random.nextInt(5)];
        TreeMap<String, Content> survivors = new TreeMap<>(durableNames);
        names.forEach((name, content) -> {
            if (durableNames.get(name) != content && random.nextDouble() < survival) {
                survivors.put(name, content);
            }
        });
        for (String name : durableNames.keySet()) {
            if (!names.containsKey(name) && random.nextDouble() < survival) {
                survivors.remove(name);
            }
        }
        survivors.values().forEach(content -> content.losePower(survival));
        settle(survivors);
    }

    /**
     * The process was killed, during the operation that {@link #losePowerAtOperation} named or now: the next one sees all that was
     * written, and what was not synced can still be lost.
     */
    public synchronized void restartAfterKill() {
        forgetFaults();
    }

    private void settle(Map<String, Content> survivors) {
        names.clear();
        names.putAll(survivors);
        durableNames = new TreeMap<>(survivors);
        forgetFaults();
    }

    private void forgetFaults() {
        operationsUntilPowerLoss = Integer.MAX_VALUE;
        operationsUntilDiskFull = Integer.MAX_VALUE;
        syncsUntilOneFails = Integer.MAX_VALUE;
        powerLost = false;
    }

    public synchronized byte[] bytes(String name) throws IOException {
        return content(name).cached.clone();
    }

    /** Puts a file there, durably, in place of what was there. */
    public synchronized void put(String name, byte[] bytes) {
        Content content = new Content();
        content.settle(bytes.clone());
        names.put(name, content);
        durableNames.put(name, content);
    }

    /** A copy of all files as programs see them now, all durable. */
    public synchronized FaultyStorage copy() {
        FaultyStorage copy = new FaultyStorage(random);
        names.forEach((name, content) -> copy.put(name, content.cached));
        return copy;
    }

    /** Counts an operation that changes something; returns whether it is the one during which the power fails. */
    private boolean powerFailsNow() throws IOException {
        requirePower();
        powerLost = --operationsUntilPowerLoss <= 0;
        return powerLost;
    }

    private void requirePower() throws IOException {
        if (powerLost) {
            throw new PowerLoss();
        }
    }

    @Override
    public String path(String name) {
        return "faulty/" + name;
    }

    @Override
    public synchronized List<String> list() throws IOException {
        requirePower();
        return List.copyOf(names.keySet());
    }

    @Override
    public synchronized StoredFile create(String name) throws IOException {
        if (names.containsKey(name)) {
            throw new FileAlreadyExistsException(name);
        }
        boolean fails = powerFailsNow();
        if (!fails || random.nextBoolean()) {
            names.put(name, new Content());
        }
        requirePower();
        return open(name);
    }

    @Override
    public synchronized StoredFile open(String name) throws IOException {
        requirePower();
        return new FaultyFile(path(name), content(name));
    }

    @Override
    public StoredFile openForReading(String name) throws IOException {
        return open(name);
    }

    private Content content(String name) throws IOException {
        Content content = names.get(name);
        if (content == null) {
            throw new NoSuchFileException(path(name));
        }
        return content;
    }

    @Override
    public synchronized void delete(String name) throws IOException {
        content(name);
        boolean fails = powerFailsNow();
        if (!fails || random.nextBoolean()) {
            names.remove(name);
        }
        requirePower();
    }

    @Override
    public void sync(StoredFile one, StoredFile other) throws IOException {
        boolean swapped = random.nextBoolean();
        try {
            (swapped ? other : one).sync();
        } finally {
            (swapped ? one : other).sync();
        }
    }

    @Override
    public synchronized void syncDirectory() throws IOException {
        boolean fails = powerFailsNow();
        if (!fails || random.nextBoolean()) {
            durableNames = new TreeMap<>(names);
        }
        requirePower();
    }

    private final class FaultyFile implements StoredFile {

        private final String path;
        private final Content content;
        private boolean closed;

        FaultyFile(String path, Content content) {
            this.path = path;
            this.content = content;
        }

        private boolean change() throws IOException {
            requireOpen();
            return powerFailsNow();
        }

        private void requireOpen() throws IOException {
            if (closed) {
                throw new IOException(path + " was closed");
            }
        }

        @Override
        public String path() {
            return path;
        }

        @Override
        public int read(ByteBuffer dst, long position) throws IOException {
            synchronized (FaultyStorage.this) {
                requireOpen();
                requirePower();
                int count = (int) Math.max(0, Math.min(dst.remaining(), content.cached.length - position));
                dst.put(content.cached, (int) Math.min(position, content.cached.length), count);
                return count;
            }
        }

        @Override
        public void write(ByteBuffer src, long position) throws IOException {
            synchronized (FaultyStorage.this) {
                boolean powerFails = change();
                boolean diskFull = --operationsUntilDiskFull == 0;
                byte[] bytes = new byte[powerFails || diskFull ? cut(position, src.remaining()) : src.remaining()];
                src.get(bytes);
                content.apply(new Change(Math.toIntExact(position), ByteBuffer.wrap(bytes), false));
                requirePower();
                if (diskFull) {
                    throw new IOException("No space left on device");
                }
            }
        }

        /** Sectors are written wholly or not at all. */
        private int cut(long position, int length) {
            long end = (position + random.nextInt(length + 1)) / SECTOR * SECTOR;
            return (int) Math.max(0, end - position);
        }

        @Override
        public long size() throws IOException {
            synchronized (FaultyStorage.this) {
                requireOpen();
                requirePower();
                return content.cached.length;
            }
        }

        @Override
        public void truncate(long size) throws IOException {
            synchronized (FaultyStorage.this) {
                if (!change() || random.nextBoolean()) {
                    content.apply(new Change(Math.toIntExact(size), ByteBuffer.allocate(0), true));
                }
                requirePower();
            }
        }

        @Override
        public void sync() throws IOException {
            synchronized (FaultyStorage.this) {
                if (!change() || random.nextBoolean()) {
                    if (--syncsUntilOneFails <= 0) {
                        syncsUntilOneFails = Integer.MAX_VALUE;
                        content.failToSync();
                        throw new SyncFailure();
                    }
                    content.sync();
                }
                requirePower();
            }
        }

        @Override
        public void close() {
            synchronized (FaultyStorage.this) {
                closed = true;
            }
        }
    }
}
