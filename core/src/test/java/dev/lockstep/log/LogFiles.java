package dev.lockstep.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.CorruptException;
import dev.lockstep.io.Storage;
import java.io.IOException;

/** Everything that a log's files must be, read from the files alone. */
final class LogFiles {

    private LogFiles() {}

    static void assertSound(Storage storage) throws IOException {
        CommitRecord before = null;
        for (Segment segment : Recovery.recover(storage)) {
            TransactionCheck check = new TransactionCheck(segment.header.pageSize());
            if (before != null) {
                assertThat(segment.base).isEqualTo(before);
            }
            before = segment.base;
            try (SegmentReader reader = segment.openForReading(storage)) {
                for (int i = 1; i <= segment.commits(); i++) {
                    CommitRecord commit = reader.commit(i);
                    TransactionCheck.Located fault = check.check(reader, before, commit);
                    if (fault != null) {
                        throw new CorruptException(storage.path(Segment.framesName(segment.startFrameNo())) + ": frame "
                                + fault.frameNo() + ": " + fault.fault());
                    }
                    before = commit;
                }
            }
        }
    }
}
