package dev.lockstep.server;

import com.google.protobuf.ByteString;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.Seal;
import dev.lockstep.log.WalMark;
import dev.lockstep.server.v1.Proto;
import dev.lockstep.sqlite.DatabaseHeader;
import java.nio.ByteBuffer;
import java.util.UUID;

/**
 * The values that messages are made of. The readers throw {@link IllegalArgumentException} with a clear message for a value
 * that cannot be; the rules stand in replication.proto.
 */
final class Fields {

    /** Characters of a message for people. */
    static final int TEXT_LENGTH = 2000;

    private static final int UUID_LENGTH = 16;
    private static final int REPLACEMENT = 0xFFFD;

    private Fields() {}

    static ByteString bytes(UUID id) {
        ByteBuffer buf = ByteBuffer.allocate(UUID_LENGTH);
        buf.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
        return ByteString.copyFrom(buf.flip());
    }

    static UUID uuid(ByteString bytes, String field) {
        requireLength(bytes, UUID_LENGTH, field);
        ByteBuffer buf = bytes.asReadOnlyByteBuffer();
        return new UUID(buf.getLong(), buf.getLong());
    }

    static ByteString bytes(Seal seal) {
        return ByteString.copyFrom(seal.toBytes());
    }

    static Seal seal(ByteString bytes) {
        requireLength(bytes, Seal.LENGTH, "seal");
        return Seal.of(bytes.toByteArray());
    }

    private static void requireLength(ByteString bytes, int length, String field) {
        if (bytes.size() != length) {
            throw new IllegalArgumentException(field + " of " + bytes.size() + " bytes instead of " + length);
        }
    }

    static int pageSize(int pageSize) {
        if (!DatabaseHeader.isPageSize(pageSize)) {
            throw new IllegalArgumentException(
                    "page size " + pageSize + " instead of a power of two from 512 to 65536");
        }
        return pageSize;
    }

    static long frameNo(long frameNo) {
        if (frameNo < -1) {
            throw new IllegalArgumentException("frame number " + frameNo + " below -1");
        }
        return frameNo;
    }

    /** Text of the other side, which may be printed: on one line, without what a terminal would obey, and no longer than so many characters. */
    static String text(String text, int length) {
        return text.codePoints()
                .limit(length)
                .map(character -> isPrintable(character) ? character : REPLACEMENT)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private static boolean isPrintable(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }

    static Proto.Commit commit(CommitRecord commit) {
        return Proto.Commit.newBuilder()
                .setFrameNo(commit.frameNo())
                .setChecksum(commit.checksum())
                .setSizeAfter(commit.sizeAfter())
                .setTimeMillis(commit.timeMillis())
                .setStateChecksum(commit.stateChecksum())
                .setSeal(bytes(commit.seal()))
                .build();
    }

    static CommitRecord commit(Proto.Commit commit) {
        return new CommitRecord(
                frameNo(commit.getFrameNo()),
                commit.getChecksum(),
                commit.getSizeAfter(),
                commit.getTimeMillis(),
                commit.getStateChecksum(),
                WalMark.NONE,
                seal(commit.getSeal()));
    }
}
