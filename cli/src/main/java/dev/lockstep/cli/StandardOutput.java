package dev.lockstep.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Standard output, which remembers whether something was lost: the writers of the JDK say no more than that there was trouble, and who
 * reads no further ({@code | head}) is none. Not thread-safe.
 */
final class StandardOutput extends FilterOutputStream {

    private @Nullable IOException failure;

    StandardOutput() {
        super(new FileOutputStream(FileDescriptor.out));
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        try {
            out.write(bytes, offset, length);
        } catch (IOException e) {
            failure = e;
            throw e;
        }
    }

    /** Why the output is not complete, though somebody wanted it; else null. */
    @Nullable
    String lost() {
        String reason = failure == null ? null : String.valueOf(failure.getMessage());
        return "Broken pipe".equals(reason) ? null : reason;
    }
}
