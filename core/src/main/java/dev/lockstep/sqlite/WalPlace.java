package dev.lockstep.sqlite;

/**
 * A committed end of a WAL.
 *
 * @param salts of the WAL's generation, as {@link WalFormat} carries them
 * @param frame the last committed frame, from 1; 0 when the WAL holds none
 * @param checksum SQLite's running checksum at that frame, as {@link WalChecksum} carries it; meaningless when the frame is 0
 */
public record WalPlace(long salts, int frame, long checksum) {

    static WalPlace of(WalIndexHeader header) {
        return new WalPlace(header.salts(), header.maxFrame(), header.frameChecksum());
    }

    @Override
    public String toString() {
        return String.format("WAL frame %d, checksum %016x, of generation %016x", frame, checksum, salts);
    }
}
