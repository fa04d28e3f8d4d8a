package dev.lockstep.log;

/**
 * A place in SQLite's WAL: the end of a transaction's last frame.
 *
 * @param salts the WAL header's two salts, the eight raw bytes as a little-endian word
 * @param frame the frame in the WAL, from 1; 0 in {@link #NONE}
 * @param checksum SQLite's running checksum at that frame, the pair as one word
 */
public record WalMark(long salts, int frame, long checksum) {

    /** For transactions that did not come from a WAL. */
    public static final WalMark NONE = new WalMark(0, 0, 0);
}
