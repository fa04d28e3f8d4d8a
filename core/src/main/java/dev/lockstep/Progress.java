package dev.lockstep;

/** Is told now and then how far something long is, by whichever thread has got on, one at a time. It must return soon. */
public interface Progress {

    /** For whom it is not of interest. */
    Progress NONE = (bytesDone, bytesTotal) -> {};

    /** @param bytesDone of {@code bytesTotal}; less than before where another pass begins */
    void at(long bytesDone, long bytesTotal);
}
