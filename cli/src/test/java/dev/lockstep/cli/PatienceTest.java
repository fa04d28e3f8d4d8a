package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.Position;
import dev.lockstep.Replica.State;
import dev.lockstep.Replica.Status;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PatienceTest {

    private static final UUID LOG = new UUID(1, 2);

    private final Patience patience = new Patience(Duration.ofSeconds(30));

    @Test
    void endsAlthoughTheReplicaFollowsForAMomentAgainAndAgain() {
        for (int second = 0; second < 30; second += 2) {
            assertThat(isOver(second, State.CONNECTING, "disk full", 7)).isFalse();
            assertThat(isOver(second + 1, State.FOLLOWING, null, 7)).isFalse();
        }
        assertThat(isOver(30, State.CONNECTING, "disk full", 7)).isTrue();
    }

    @Test
    void beginsAnewWithEachStepForward() {
        assertThat(isOver(0, State.CONNECTING, "unreachable", 7)).isFalse();
        assertThat(isOver(29, State.FOLLOWING, null, 8)).isFalse();
        assertThat(isOver(40, State.CONNECTING, "unreachable", 8)).isFalse();
        assertThat(isOver(69, State.CONNECTING, "unreachable", 8)).isFalse();
        assertThat(isOver(70, State.CONNECTING, "unreachable", 8)).isTrue();
    }

    @Test
    void isNotNeededWhileNothingIsInTheWay() {
        assertThat(isOver(0, State.CONNECTING, null, 7)).isFalse();
        assertThat(isOver(100, State.COPYING, "unreachable before", 7)).isFalse();
        assertThat(isOver(200, State.CONNECTING, "unreachable", 7)).isFalse();
    }

    private boolean isOver(long second, State state, @Nullable String problem, long frameNo) {
        Status status = new Status(state, new Position(LOG, frameNo, 0), 9, 0, problem, null);
        return patience.isOver(status, TimeUnit.SECONDS.toNanos(second));
    }
}
