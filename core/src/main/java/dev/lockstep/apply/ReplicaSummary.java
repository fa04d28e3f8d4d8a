package dev.lockstep.apply;

import dev.lockstep.NotAReplicaException;
import dev.lockstep.log.CommitRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.UUID;

/**
 * What a replica's record says of it, read without disturbing the process that may be following with it. (Within that same process it
 * would release the record's lock, as closing any handle of a file does.)
 *
 * @param logId the history it follows
 * @param replicaId stays the same for the life of the replica
 * @param newest the newest commit that was handed to readers, or is being handed to them at this moment
 * @param durable the newest commit that is known to survive a loss of power
 * @param walBytes the size of the WAL beside the database; above a few times 16 MiB some reader keeps an old state in use
 */
public record ReplicaSummary(
        Path database,
        UUID logId,
        UUID replicaId,
        int pageSize,
        CommitRecord newest,
        CommitRecord durable,
        long walBytes) {

    /** Whether there is a record beside the database, be it a damaged one. */
    public static boolean exists(Path database) throws IOException {
        return Files.isRegularFile(new ReplicaFiles(database).record());
    }

    /**
     * @throws NotAReplicaException if there is no record beside the database
     * @throws dev.lockstep.CorruptException if the record is damaged
     */
    public static ReplicaSummary read(Path database) throws IOException {
        ReplicaFiles files = new ReplicaFiles(database);
        if (!exists(database)) {
            throw new NotAReplicaException(
                    database + " is no replica: " + files.record().getFileName() + " is missing beside it");
        }
        try (ReplicaRecord record = ReplicaRecord.openToLook(files.record())) {
            return new ReplicaSummary(
                    files.database(),
                    record.logId(),
                    record.replicaId(),
                    record.pageSize(),
                    record.newest(),
                    record.base(),
                    sizeOf(files.wal()));
        }
    }

    private static long sizeOf(Path file) throws IOException {
        try {
            return Files.size(file);
        } catch (NoSuchFileException e) {
            return 0;
        }
    }
}
