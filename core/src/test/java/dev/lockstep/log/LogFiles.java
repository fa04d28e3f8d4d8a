package dev.lockstep.log;

import dev.lockstep.CorruptException;
import dev.lockstep.Progress;
import dev.lockstep.io.Storage;
import java.io.IOException;

/** What every test of a log on a bad disk ends with. */
final class LogFiles {

    private LogFiles() {}

    static void assertSound(Storage storage) throws IOException {
        LogVerifier.Fault fault = LogVerifier.verify(LogSource.directory(storage), true, 2, Progress.NONE)
                .fault();
        if (fault != null) {
            throw new CorruptException(fault.toString());
        }
    }
}
