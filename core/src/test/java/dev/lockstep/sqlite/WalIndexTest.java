package dev.lockstep.sqlite;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WalIndexTest {

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536})
    void headerAndFramesOfALiveWalAreReadAndTheirChecksumsFit(int pageSize) throws Exception {
        Path path = directory.resolve("app.db");
        try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            SqliteConnections.execute(writer, "PRAGMA page_size=" + pageSize);
            SqliteConnections.execute(writer, "CREATE TABLE t (a)");
            try (Connection own = SqliteConnections.openWal(path)) {
                LiveDatabase database = LiveDatabase.of(path);
                WalIndex index = database.walIndex();
                WalIndexHeader header = new WalIndexHeader();
                assertThat(index.read(header)).isTrue();
                long hint = index.changeHint();
                int before = header.change();
                SqliteConnections.execute(writer, "INSERT INTO t VALUES (zeroblob(100000)), ('x')");
                assertThat(index.changeHint()).isNotEqualTo(hint);
                assertThat(index.read(header)).isTrue();
                assertThat(header.change()).isEqualTo(before + 1);

                try (WalFile wal = new WalFile(database)) {
                    WalFormat.Header walHeader = wal.header();
                    assertThat(header.pageSize()).isEqualTo(pageSize).isEqualTo(walHeader.pageSize());
                    assertThat(header.salts()).isEqualTo(walHeader.salts());
                    int frameSize = WalFormat.FRAME_HEADER_SIZE + pageSize;
                    ByteBuffer frames = ByteBuffer.allocateDirect(header.maxFrame() * frameSize);
                    wal.readFrames(1, header.maxFrame(), pageSize, frames);
                    long checksum = walHeader.checksum();
                    for (int f = 0; f < header.maxFrame(); f++) {
                        checksum = WalChecksum.over(checksum, frames, f * frameSize, 8, walHeader.bigEndian());
                        checksum =
                                WalChecksum.over(checksum, frames, f * frameSize + 24, pageSize, walHeader.bigEndian());
                        assertThat(WalFormat.saltsAt(frames, f * frameSize + 8)).isEqualTo(walHeader.salts());
                    }
                    assertThat(checksum).isEqualTo(header.frameChecksum());
                    int lastCommit = frames.order(ByteOrder.BIG_ENDIAN).getInt((header.maxFrame() - 1) * frameSize + 4);
                    assertThat(header.pages()).isEqualTo(lastCommit);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void walHeaderSurvivesEncodingInBothByteOrders(boolean bigEndian) throws Exception {
        WalFormat.Header header = WalFormat.Header.of(bigEndian, 4096, 7, 0x1122334455667788L);
        ByteBuffer bytes = ByteBuffer.allocate(WalFormat.HEADER_SIZE);
        header.encode(bytes);
        assertThat(WalFormat.Header.decode(bytes)).isEqualTo(header);
    }
}
