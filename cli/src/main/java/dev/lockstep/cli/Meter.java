package dev.lockstep.cli;

import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/** Speed over the last few seconds, of something that only grows. Not thread-safe. */
final class Meter {

    private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(3);

    private record Sample(long nanos, long amount) {}

    private final ArrayDeque<Sample> samples = new ArrayDeque<>();

    /** Takes the amount at this moment, and returns the speed per second. */
    double sample(long nowNanos, long amount) {
        if (!samples.isEmpty() && amount < samples.getLast().amount) {
            samples.clear(); // it began anew
        }
        samples.addLast(new Sample(nowNanos, amount));
        while (samples.size() > 2 && nowNanos - samples.getFirst().nanos > WINDOW_NANOS) {
            samples.removeFirst();
        }
        Sample oldest = samples.getFirst();
        long nanos = nowNanos - oldest.nanos;
        return nanos == 0 ? 0 : (amount - oldest.amount) * 1e9 / nanos;
    }
}
