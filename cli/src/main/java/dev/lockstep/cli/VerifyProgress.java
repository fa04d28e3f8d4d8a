package dev.lockstep.cli;

import dev.lockstep.log.LogVerifier;
import java.util.concurrent.TimeUnit;

/** A bar for a verification that takes long enough to wonder. Called by one thread at a time. */
final class VerifyProgress implements LogVerifier.Progress, AutoCloseable {

    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(300);
    private static final long REFRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Terminal terminal;
    private final Meter meter = new Meter();
    private long nextNanos = System.nanoTime() + PATIENCE_NANOS;

    VerifyProgress(Terminal terminal) {
        this.terminal = terminal;
        meter.sample(System.nanoTime(), 0);
    }

    @Override
    public synchronized void at(long bytesDone, long bytesTotal) {
        long now = System.nanoTime();
        if (now - nextNanos >= 0) {
            nextNanos = now + REFRESH_NANOS;
            terminal.show(
                    Bar.line("verifying", terminal.columns(), bytesDone, bytesTotal, meter.sample(now, bytesDone)));
        }
    }

    @Override
    public void close() {
        terminal.clear();
    }
}
