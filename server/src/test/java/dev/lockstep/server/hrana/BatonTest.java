package dev.lockstep.server.hrana;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Base64;
import org.junit.jupiter.api.Test;

class BatonTest {

    private final Baton.Key key = new Baton.Key();

    @Test
    void aBatonIsReadBackByItsMakerOnly() throws ProtocolException {
        Baton baton = new Baton(-1, Long.MAX_VALUE);
        String text = key.encode(baton);
        assertThat(key.decode(text)).isEqualTo(baton);
        assertThatThrownBy(() -> new Baton.Key().decode(text)).isInstanceOf(ProtocolException.class);
    }

    @Test
    void everyFlippedBitIsNoticed() {
        byte[] bytes = Base64.getDecoder().decode(key.encode(new Baton(3, 4)));
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            byte[] forged = bytes.clone();
            forged[bit / 8] ^= (byte) (1 << (bit % 8));
            assertThatThrownBy(() -> key.decode(Base64.getEncoder().encodeToString(forged)))
                    .isInstanceOf(ProtocolException.class);
        }
        assertThatThrownBy(() -> key.decode("")).isInstanceOf(ProtocolException.class);
        assertThatThrownBy(() -> key.decode("not base64!")).isInstanceOf(ProtocolException.class);
    }
}
