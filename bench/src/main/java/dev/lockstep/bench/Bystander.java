package dev.lockstep.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.LockSupport;

/**
 * A process that has nothing to do with the writer's database and does what no replication can do without: it looks for work many times
 * a millisecond, reads as many bytes as the writer's transactions make, and writes and syncs them, in files of its own. What a writer
 * loses beside it, it loses to sharing a machine.
 */
public final class Bystander {

    private static final int FILE = 64 << 20;
    private static final int MOST = 1 << 20;
    private static final long PAUSE_NANOS = 50_000;

    private Bystander() {}

    /** Arguments: directory, bytes a second. Runs until it is killed. */
    public static void main(String[] args) throws IOException {
        Path directory = Path.of(args[0]);
        long perSecond = Long.parseLong(args[1]);
        try (FileChannel source = open(directory.resolve("source"));
                FileChannel log = open(directory.resolve("log"))) {
            ByteBuffer bytes = ByteBuffer.allocateDirect(MOST);
            for (int at = 0; at < FILE; at += MOST) {
                source.write(bytes.clear(), at);
                log.write(bytes.clear(), at);
            }
            Thread syncing = new Thread(() -> sync(log));
            syncing.setDaemon(true);
            syncing.start();
            System.out.println("ready");
            long begin = System.nanoTime();
            for (long done = 0; ; LockSupport.parkNanos(PAUSE_NANOS)) {
                long due = (long) ((System.nanoTime() - begin) / 1e9 * perSecond) / 4096 * 4096;
                while (done < due) {
                    int offset = (int) (done % FILE);
                    int length = (int) Math.min(due - done, Math.min(MOST, FILE - offset));
                    source.read(bytes.clear().limit(length), offset);
                    log.write(bytes.flip(), offset);
                    done += length;
                }
            }
        }
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private static void sync(FileChannel log) {
        try {
            while (true) {
                log.force(false);
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
