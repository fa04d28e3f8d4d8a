package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BarTest {

    @Test
    void showsHowFarItIsAndHowLongItWillTake() {
        assertThat(Bar.line("copying", 120, 500_000_000, 1_000_000_000, 50e6))
                .isEqualTo("copying    [============>           ]  50%   500 MB of 1.00 GB   50.0 MB/s   10.0 s left");
        assertThat(Bar.line("copying", 0, 500_000_000, 1_000_000_000, 50e6))
                .isEqualTo("copying     50%   500 MB of 1.00 GB   50.0 MB/s   10.0 s left");
    }

    @Test
    void isAsWideAsTheTerminalLeavesRoomFor() {
        assertThat(Bar.line("copying", 80, 500_000_000, 1_000_000_000, 50e6))
                .isEqualTo("copying    [=======>       ]  50%   500 MB of 1.00 GB   50.0 MB/s   10.0 s left")
                .hasSizeLessThan(80);
        assertThat(Bar.line("copying", 60, 500_000_000, 1_000_000_000, 50e6))
                .isEqualTo("copying     50%   500 MB of 1.00 GB   50.0 MB/s   10.0 s left");
    }

    @Test
    void isFullAtTheEndAndNeverMore() {
        assertThat(Bar.line("verifying", 120, 9, 8, 0))
                .isEqualTo("verifying  [========================] 100%   8 B of 8 B   0.0 MB/s");
        assertThat(Bar.line("verifying", 0, 0, 0, 0)).contains("100%");
    }
}
