package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MeterTest {

    private static final long SECOND = 1_000_000_000L;

    @Test
    void speedIsThatOfTheLastSecondsAndStartsAgainWithWhatItMeasures() {
        Meter meter = new Meter();
        assertThat(meter.sample(0, 0)).isZero();
        assertThat(meter.sample(SECOND, 100)).isEqualTo(100);
        assertThat(meter.sample(2 * SECOND, 100)).isEqualTo(50);
        assertThat(meter.sample(5 * SECOND, 100)).isZero();
        assertThat(meter.sample(6 * SECOND, 10)).as("began anew").isZero();
        assertThat(meter.sample(7 * SECOND, 15)).isEqualTo(5);
    }
}
