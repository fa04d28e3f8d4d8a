package dev.lockstep.log;

/**
 * What is wrong with a frame.
 *
 * @param field the field that does not fit
 * @param expected what should stand there, in words
 * @param found what stands there
 */
public record FrameFault(String field, String expected, String found) {

    static FrameFault checksum(long expected, long found) {
        return new FrameFault("checksum", hex(expected), hex(found));
    }

    static String hex(long checksum) {
        return String.format("%016x", checksum);
    }

    @Override
    public String toString() {
        return field + ": expected " + expected + ", found " + found;
    }
}
