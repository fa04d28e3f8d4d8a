package dev.lockstep.server.libsql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.lockstep.server.libsql.v1.ProxyProto;
import dev.lockstep.server.sql.Value;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The bytes are those that real clients send. */
class ValueCodecTest {

    private static ProxyProto.Value message(String hex) {
        return ProxyProto.Value.newBuilder()
                .setData(ByteString.copyFrom(HexFormat.of().parseHex(hex)))
                .build();
    }

    private static void assertBytes(Value value, String hex) {
        assertThat(ValueCodec.encode(value)).isEqualTo(message(hex));
        assertThat(ValueCodec.decode(message(hex))).isEqualTo(value);
    }

    @Test
    void valuesHaveBincodesBytes() {
        assertBytes(Value.NULL, "00000000");
        assertBytes(new Value.Int(1L << 62), "010000000000000000000040");
        assertBytes(new Value.Real(5), "020000000000000000001440");
        assertBytes(new Value.Text("text"), "03000000040000000000000074657874");
        assertBytes(new Value.Blob(new byte[] {1, 2, -1}), "0400000003000000000000000102ff");
    }

    @Test
    void whatIsNoValueIsRefused() {
        for (String hex : new String[] {
            "",
            "01",
            "05000000",
            "ffffffff",
            "0000000000",
            "0100000000000000000000",
            "0300000004000000000000007465",
            "03000000ffffffffffffffff7465",
            "0300000001000000000000007465",
            "030000000100000000000000ff",
        }) {
            assertThatThrownBy(() -> ValueCodec.decode(message(hex)))
                    .as(hex)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageMatching("a (value|text) .*");
        }
    }

    @Test
    void randomBytesAreAValueOrRefused() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[random.nextInt(24)];
            random.nextBytes(bytes);
            if (bytes.length > 3) {
                bytes[0] = (byte) random.nextInt(6);
                bytes[1] = bytes[2] = bytes[3] = 0;
            }
            try {
                ProxyProto.Value message = ProxyProto.Value.newBuilder()
                        .setData(ByteString.copyFrom(bytes))
                        .build();
                assertThat(ValueCodec.encode(ValueCodec.decode(message)))
                        .as("seed %d", seed)
                        .isEqualTo(message);
            } catch (IllegalArgumentException expected) {
                assertThat(expected.getMessage()).isNotEmpty();
            }
        }
    }
}
