package dev.lockstep.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;

/**
 * A file behind a {@link FileChannel}. Java closes a channel under everybody's hands when one thread is interrupted in the middle
 * of a read or write; a server that cancels one replica's reader must not lose its log by that. So a channel that was
 * closed by an interrupt is opened again and the operation repeated, and the interrupt is kept for the thread to find later.
 *
 * <p>Thread-safe.
 */
final class ChannelFile implements StoredFile {

    private final Path path;
    private final OpenOption[] options;

    /** Replaced under this object's lock, by a thread that found the former one closed. */
    private volatile FileChannel channel;

    /** Guarded by this object's lock. */
    private boolean closed;

    ChannelFile(Path path, OpenOption... options) throws IOException {
        this.path = path;
        this.options = options;
        this.channel = FileChannel.open(path, options);
    }

    /** All operations that pass here give the same result when they are repeated. */
    private interface Operation {
        long on(FileChannel channel) throws IOException;
    }

    private long run(Operation operation) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                FileChannel used = channel;
                try {
                    return operation.on(used);
                } catch (ClosedByInterruptException e) {
                    interrupted |= Thread.interrupted();
                    reopen(used);
                } catch (ClosedChannelException e) { // another thread was interrupted, or the file was closed
                    reopen(used);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private synchronized void reopen(FileChannel found) throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
        if (found == channel) {
            channel = FileChannel.open(path, options);
        }
    }

    @Override
    public String path() {
        return path.toString();
    }

    @Override
    public int read(ByteBuffer dst, long position) throws IOException {
        int start = dst.position();
        run(used -> {
            long at = position + dst.position() - start;
            while (dst.hasRemaining()) {
                int count = used.read(dst, at);
                if (count < 0) {
                    break;
                }
                at += count;
            }
            return 0;
        });
        return dst.position() - start;
    }

    @Override
    public void write(ByteBuffer src, long position) throws IOException {
        int start = src.position();
        run(used -> {
            while (src.hasRemaining()) {
                used.write(src, position + src.position() - start);
            }
            return 0;
        });
    }

    @Override
    public long size() throws IOException {
        return run(FileChannel::size);
    }

    @Override
    public void truncate(long size) throws IOException {
        run(used -> {
            used.truncate(size);
            return 0;
        });
    }

    @Override
    public void sync() throws IOException {
        run(used -> {
            used.force(false);
            return 0;
        });
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        channel.close();
    }
}
