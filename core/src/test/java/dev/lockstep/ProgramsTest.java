package dev.lockstep;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;

class ProgramsTest {

    private static final String PROPERTY = "lockstep.requireTools";
    private final String before = System.getProperty(PROPERTY, "false");

    @AfterEach
    void restore() {
        System.setProperty(PROPERTY, before);
    }

    @Test
    void aMissingProgramSkipsTheTest() {
        System.setProperty(PROPERTY, "false");
        assertThatThrownBy(() -> Programs.require("sh", "no-such-program"))
                .isInstanceOf(TestAbortedException.class)
                .hasMessageContaining("[no-such-program]");
    }

    @Test
    void aMissingProgramFailsTheTestWhereNothingMayBeSkipped() {
        System.setProperty(PROPERTY, "true");
        assertThatThrownBy(() -> Programs.require("no-such-program")).isInstanceOf(AssertionFailedError.class);
    }
}
