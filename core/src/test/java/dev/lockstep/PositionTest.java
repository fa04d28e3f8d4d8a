package dev.lockstep;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.UUID;
import org.junit.jupiter.api.Test;

class PositionTest {

    @Test
    void frameNumberBelowTheEmptyPositionIsRefused() {
        assertThatThrownBy(() -> new Position(new UUID(1, 2), -2, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-2");
    }
}
