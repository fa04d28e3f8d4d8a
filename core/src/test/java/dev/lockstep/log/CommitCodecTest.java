package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.CorruptException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class CommitCodecTest {

    private static final SegmentHeader SEGMENT =
            new SegmentHeader(UUID.fromString("00112233-4455-6677-8899-aabbccddeeff"), 4096, 5, 6, 0);

    private static final CommitRecord COMMIT = new CommitRecord(
            0x0102030405060708L,
            0x1112131415161718L,
            0x21222324,
            0x3132333435363738L,
            0x4142434445464748L,
            new WalMark(0x5152535455565758L, 0x61626364, 0x7172737475767778L),
            new Seal(0x8182838485868788L, 2, 3, 4));

    private final ByteBuffer buf = ByteBuffer.allocate(2 * CommitCodec.LENGTH).order(ByteOrder.LITTLE_ENDIAN);

    @Test
    void recordsStandAsTheTableSays() {
        CommitCodec.put(buf, 104, COMMIT, 0x0102030405060700L);

        byte[] bytes = new byte[96];
        buf.get(104, bytes);
        assertThat(HexFormat.of().formatHex(bytes))
                .isEqualTo("0807060504030201" + "1817161514131211" + "24232221" + "64636261" + "3837363534333231"
                        + "4847464544434241" + "5857565554535251" + "7877767574737271" + "0007060504030201"
                        + "8182838485868788" + "0000000000000002" + "0000000000000003" + "0000000000000004");
        assertThat(buf.getLong(200)).isEqualTo(PlainCrc.step(0, bytes, 0, 96));
        assertThat(CommitCodec.get(buf, 104)).isEqualTo(COMMIT);
        assertThat(CommitCodec.syncedTo(buf, 104)).isEqualTo(0x0102030405060700L);
    }

    @Test
    void recordsThatBreakARuleAreNone() {
        for (int i = 0; i < CommitCodec.LENGTH; i++) {
            CommitCodec.put(buf, 0, COMMIT, 5);
            buf.put(i, (byte) (buf.get(i) ^ 0x10));
            assertThat(CommitCodec.get(buf, 0)).as("byte %d", i).isNull();
        }
        CommitCodec.put(buf, 0, COMMIT, COMMIT.frameNo() + 1);
        assertThat(CommitCodec.get(buf, 0)).as("durable before it was written").isNull();
        buf.put(0, new byte[CommitCodec.LENGTH]);
        assertThat(CommitCodec.get(buf, 0)).as("zeros").isNull();
    }

    @Test
    void headersBelongToOneSegment() throws Exception {
        ByteBuffer header = CommitCodec.header(SEGMENT);
        CommitCodec.checkHeader(header, SEGMENT, "path");

        SegmentHeader other = new SegmentHeader(SEGMENT.logId(), 4096, 7, 6, 0);
        assertThatThrownBy(() -> CommitCodec.checkHeader(header, other, "path")).isInstanceOf(CorruptException.class);
        header.put(20, (byte) 1);
        assertThatThrownBy(() -> CommitCodec.checkHeader(header, SEGMENT, "path"))
                .isInstanceOf(CorruptException.class);
    }

    @Test
    void aDamagedMarkSaysNothing() {
        ByteBuffer header = CommitCodec.header(SEGMENT);
        assertThat(CommitCodec.mark(header)).isEqualTo(-1);
        header.put(CommitCodec.MARK, CommitCodec.mark(SEGMENT, 77), 0, 16);
        assertThat(CommitCodec.mark(header)).isEqualTo(77);
        header.put(CommitCodec.MARK + 1, (byte) 1);
        assertThat(CommitCodec.mark(header)).isEqualTo(-1);
    }
}
