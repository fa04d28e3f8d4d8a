package dev.lockstep.log;

import static java.util.Objects.requireNonNull;

import dev.lockstep.UnsupportedException;
import dev.lockstep.io.Storage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * What kind of log a path names.
 *
 * @param storage the directory
 * @param name the file named, or empty for the directory
 * @param starts the first frames of the segments, ascending; empty when it is a file without a commit index
 */
record LogSource(Storage storage, String name, List<Long> starts) {

    static LogSource of(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            return directory(Storage.directory(path));
        }
        Path file = path.toAbsolutePath();
        Storage storage = Storage.directory(requireNonNull(file.getParent()));
        String name = file.getFileName().toString();
        List<String> names = storage.list();
        boolean segment = Segment.isFramesName(name) && names.contains(Segment.commitsName(Segment.startFrameNo(name)));
        return new LogSource(storage, name, segment ? List.of(Segment.startFrameNo(name)) : List.of());
    }

    static LogSource directory(Storage storage) throws IOException {
        List<Long> starts = SegmentFiles.finished(storage);
        if (starts.isEmpty()) {
            throw new NoSuchFileException(storage.path("*.wallog"), null, "there is no log");
        }
        return new LogSource(storage, "", starts);
    }

    boolean isSnapshot() {
        return name.endsWith(".snap");
    }

    boolean isSegments() {
        return !starts.isEmpty();
    }

    /** Opens a file without a commit index. */
    PlainLog openPlain() throws IOException {
        if (isSnapshot()) {
            throw new UnsupportedException(
                    storage.path(name) + " is a snapshot: it holds pages, and no transactions in their order");
        }
        return PlainLog.open(storage.openForReading(name));
    }
}
