package dev.lockstep.cli;

import dev.lockstep.Progress;
import java.util.concurrent.TimeUnit;

/** A bar for what takes long enough to wonder. Called by one thread at a time. */
final class ProgressBar implements Progress, AutoCloseable {

    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(300);
    private static final long REFRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Terminal terminal;
    private final String what;
    private final Meter meter = new Meter();
    private long nextNanos = System.nanoTime() + PATIENCE_NANOS;

    ProgressBar(Terminal terminal, String what) {
        this.terminal = terminal;
        this.what = what;
        meter.sample(System.nanoTime(), 0);
    }

    @Override
    public synchronized void at(long bytesDone, long bytesTotal) {
        long now = System.nanoTime();
        if (now - nextNanos >= 0) {
            nextNanos = now + REFRESH_NANOS;
            terminal.show(Bar.line(what, terminal.columns(), bytesDone, bytesTotal, meter.sample(now, bytesDone)));
        }
    }

    @Override
    public void close() {
        terminal.clear();
    }
}
