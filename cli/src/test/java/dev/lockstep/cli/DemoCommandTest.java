package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DemoCommandTest {

    @Test
    void everyClaimOfTheDemoIsTrue() {
        Cli demo = Cli.run("demo");
        assertThat(demo.out()).doesNotContain("FALSE").contains("does not continue the checksum chain", "found true.");
        assertThat(demo.code()).as(demo.err()).isZero();
    }

    @Test
    void stoppedItEndsWithoutClaimingAnything() {
        Cli demo = Cli.start("demo");
        assertThat(demo.stop()).isEqualTo(1);
        assertThat(demo.out()).doesNotContain("FALSE", "found true");
        assertThat(demo.err()).isEqualToIgnoringNewLines("the demo was stopped before its end");
    }
}
