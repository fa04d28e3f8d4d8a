package dev.lockstep;

/**
 * A replica was sent something that does not continue what it has, or cannot be proven to. Nothing of it was applied; the
 * replica keeps its last good state (G2).
 */
public final class RefusedException extends LockstepException {

    private static final long serialVersionUID = 1L;

    private static final String FETCH_AGAIN =
            "Verify the primary's log, mend its cause, then start the replica again: it fetches from its last good state.";

    /** What did not line up. The number or value expected and the one found are the exception's own. */
    public enum Kind {
        FOREIGN_LOG(
                "belongs to another log than this replica",
                "Point the replica at its own primary, or copy this database anew with --force."),
        GAP("comes too early: frames before it are missing", FETCH_AGAIN),
        REPEAT("comes too late: its number was passed already", FETCH_AGAIN),
        PAGE_NUMBER("has a page number that no page can have", FETCH_AGAIN),
        CHECKSUM("does not continue the checksum chain: its page, or the order, was changed", FETCH_AGAIN),
        COMMIT_MISPLACED("and the commit records disagree on where a transaction ends", FETCH_AGAIN),
        COMMIT_MISMATCH("ends a transaction, and its commit record says otherwise", FETCH_AGAIN),
        SIZE("ends a transaction with a database size that cannot be", FETCH_AGAIN),
        GROWTH("makes the database larger than the pages that were sent", FETCH_AGAIN),
        SEAL(
                "ends a transaction whose seal does not fit: a header, the time, the state checksum or the history was changed",
                FETCH_AGAIN),
        UNFINISHED("is not the end of a transaction, and the sender says that nothing follows", FETCH_AGAIN),
        STATE(
                "leaves a database whose pages do not have the state checksum of the primary's",
                "Something else wrote into the replica's files, or the disk changed them. Copy the database anew with --force."),
        MALFORMED("could not be read", "Check that both sides run versions of Lockstep that fit together.");

        private final String problem;
        private final String advice;

        Kind(String problem, String advice) {
            this.problem = problem;
            this.advice = advice;
        }
    }

    private final Kind kind;
    private final long frameNo;
    private final String expected;
    private final String found;
    private final String source;

    /**
     * @param frameNo the frame in question, or -1 where it is the pages of a copy
     * @param expected what would have been right, as text
     * @param found what was there instead
     * @param source where it came from: an address or a file
     */
    public RefusedException(Kind kind, long frameNo, String expected, String found, String source) {
        super("refused: " + subject(frameNo) + " from " + source + " " + kind.problem + ". Expected " + expected
                + ", found " + found + ". " + kind.advice);
        this.kind = kind;
        this.frameNo = frameNo;
        this.expected = expected;
        this.found = found;
        this.source = source;
    }

    private static String subject(long frameNo) {
        return frameNo == -1 ? "a page" : "frame " + Long.toUnsignedString(frameNo);
    }

    public Kind kind() {
        return kind;
    }

    public long frameNo() {
        return frameNo;
    }

    public String expected() {
        return expected;
    }

    public String found() {
        return found;
    }

    public String source() {
        return source;
    }
}
