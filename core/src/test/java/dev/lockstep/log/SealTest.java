package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SealTest {

    private static final LogStart START = new LogStart(
            UUID.fromString("00112233-4455-6677-8899-aabbccddeeff"), 512, 3, 0x1122334455667788L, 0x99L, 3);

    @Test
    void firstSealCoversLabelIdPageSizeAndStart() throws Exception {
        byte[] expected = MessageDigest.getInstance("SHA-256")
                .digest(HexFormat.of()
                        .parseHex(
                                "6c6f636b73746570207365616c2031" // lockstep seal 1
                                        + "ffeeddccbbaa99887766554433221100" // reversed, as in files
                                        + "00020000" + "0300000000000000" + "8877665544332211" + "9900000000000000"));

        assertThat(Seal.first(START).toString()).isEqualTo(HexFormat.of().formatHex(expected));
    }

    @Test
    void sealCoversPreviousSealFramesTimeAndState() throws Exception {
        Seal previous = Seal.first(START);
        byte[] frames = {1, 2, 3, 4, 5};
        MessageDigest expected = MessageDigest.getInstance("SHA-256");
        expected.update(previous.toBytes());
        expected.update(frames);
        expected.update(HexFormat.of().parseHex("0807060504030201" + "1817161514131211"));
        SealHasher hasher = new SealHasher();
        hasher.begin(Seal.first(new LogStart(new UUID(1, 1), 1024, 0, 0, 0, 0))); // forgotten by the next begin
        hasher.update(ByteBuffer.wrap(new byte[100]));

        hasher.begin(previous);
        hasher.update(ByteBuffer.wrap(frames, 0, 2));
        hasher.update(ByteBuffer.allocateDirect(3).put(frames, 2, 3).flip());

        assertThat(hasher.finish(0x0102030405060708L, 0x1112131415161718L)).isEqualTo(Seal.of(expected.digest()));
    }

    @Test
    void bytesSurviveTheRoundTrip() {
        Seal seal = Seal.first(START);
        ByteBuffer buf = ByteBuffer.allocate(40);
        seal.put(buf, 5);

        assertThat(Seal.get(buf, 5)).isEqualTo(seal);
        assertThat(Seal.of(seal.toBytes())).isEqualTo(seal);
        assertThatThrownBy(() -> Seal.of(new byte[31])).isInstanceOf(IllegalArgumentException.class);
    }
}
