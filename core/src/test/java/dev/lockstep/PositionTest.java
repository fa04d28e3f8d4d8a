package dev.lockstep;

import static org.assertj.core.api.Assertions.assertThat;
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

    @Test
    void aTokenStandsForItsPosition() {
        Position position = new Position(new UUID(0x0123456789abcdefL, -1), Long.MAX_VALUE, -2);
        assertThat(Position.ofToken(position.token())).isEqualTo(position);
        assertThat(position.token()).hasSize(52).matches("[-A-Za-z0-9_.]+");
    }

    @Test
    void aTokenWithAnyCharacterChangedIsRefused() {
        String token = new Position(new UUID(1, 2), 3, 4).token();
        for (int i = 0; i < token.length(); i++) {
            String changed = token.substring(0, i) + (token.charAt(i) == 'A' ? 'Q' : 'A') + token.substring(i + 1);
            assertThatThrownBy(() -> Position.ofToken(changed))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("is no token of a position");
        }
        assertThatThrownBy(() -> Position.ofToken(token.substring(0, 40))).hasMessageContaining("bytes instead of");
    }
}
