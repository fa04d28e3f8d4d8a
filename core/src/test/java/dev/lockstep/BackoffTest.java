package dev.lockstep;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class BackoffTest {

    private final AtomicLong clock = new AtomicLong();
    private final Backoff backoff = new Backoff(clock::get);

    @Test
    void sessionsThatApplyNothingMakeTheReplicaWaitEverLongerUpToTheLimit() {
        Duration last = Duration.ZERO;
        for (int i = 0; i < 7; i++) {
            Duration next = session(Duration.ofSeconds(1), false, true);
            assertThat(next).isGreaterThan(last);
            last = next;
        }
        assertThat(session(Duration.ofSeconds(1), false, true)).isEqualTo(Backoff.LAST);
    }

    @Test
    void sessionThatAppliedSomethingOrLastedIsFollowedAtOnceByTheNext() {
        fail(5);
        assertThat(session(Duration.ZERO, true, true)).isEqualTo(Backoff.FIRST);
        fail(5);
        assertThat(session(Backoff.STEADY, false, true)).isEqualTo(Backoff.FIRST);
    }

    @Test
    void timeSpentOnFetchingWhatCannotBeAppliedIsOfNoUse() {
        fail(20);
        assertThat(session(Backoff.STEADY.multipliedBy(10), false, false)).isEqualTo(Backoff.LAST);
    }

    private void fail(int sessions) {
        for (int i = 0; i < sessions; i++) {
            session(Duration.ZERO, false, false);
        }
    }

    private Duration session(Duration lasting, boolean applied, boolean followed) {
        backoff.begin();
        clock.addAndGet(lasting.toNanos());
        return backoff.end(applied, followed);
    }
}
