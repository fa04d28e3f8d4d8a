package dev.lockstep.cli;

import dev.lockstep.log.LogVerifier;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A bar for a verification that takes long enough to wonder. Called by one thread at a time. */
final class VerifyProgress implements LogVerifier.Progress, AutoCloseable {

    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(300);
    private static final long MEGABYTE = 1_000_000;

    private final Terminal terminal;
    private final long began = System.nanoTime();
    private @Nullable ProgressBar bar;

    VerifyProgress(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public synchronized void at(long bytesDone, long bytesTotal) {
        if (bar == null && System.nanoTime() - began > PATIENCE_NANOS) {
            // With a consumer of its own the library leaves the terminal alone, and does not load what it would need
            // for it.
            bar = new ProgressBarBuilder()
                    .setTaskName("verify")
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUnit(" MB", MEGABYTE)
                    .setInitialMax(bytesTotal)
                    .setUpdateIntervalMillis(100)
                    .setConsumer(new DelegatingProgressBarConsumer(terminal::show, terminal.columns() - 1))
                    .showSpeed()
                    .build();
        }
        if (bar != null) {
            bar.stepTo(bytesDone);
        }
    }

    @Override
    public synchronized void close() {
        if (bar != null) {
            bar.close();
        }
        terminal.clear();
    }
}
