package dev.lockstep.apply;

import dev.lockstep.CorruptException;
import dev.lockstep.NotAReplicaException;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import dev.lockstep.io.CrashPoint;
import dev.lockstep.io.RealPath;
import dev.lockstep.io.Storage;
import dev.lockstep.sqlite.DatabaseHeader;
import dev.lockstep.sqlite.LiveDatabase;
import dev.lockstep.sqlite.SqliteConnections;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of one replica and what may be done to those that are there already.
 *
 * <pre>
 * copy.db                  the database, with SQLite's copy.db-wal and copy.db-shm while in use
 * copy.db-lockstep         what makes it a replica, see {@link ReplicaRecord}
 * copy.db-lockstep-copy    a first copy that is not finished
 * </pre>
 */
final class ReplicaFiles {

    /** What SQLite would take for part of a database of that name. */
    private static final String[] SQLITE_SUFFIXES = {"-wal", "-journal", "-shm"};

    private final Path database;

    /** @param database the path that readers open; where a symbolic link leads if it is one, as SQLite resolves it */
    ReplicaFiles(Path database) throws IOException {
        this.database = Files.exists(database) ? database.toRealPath() : RealPath.of(database);
    }

    /** Not a constant: looking at a replica's files logs nothing, and the first logger costs a tenth of a second. */
    private static Logger logger() {
        return LoggerFactory.getLogger(ReplicaFiles.class);
    }

    Path database() {
        return database;
    }

    Path wal() {
        return beside("-wal");
    }

    Path record() {
        return beside("-lockstep");
    }

    Path temporary() {
        return beside("-lockstep-copy");
    }

    private Path beside(String suffix) {
        return database.resolveSibling(database.getFileName() + suffix);
    }

    boolean databaseExists() {
        return Files.exists(database, LinkOption.NOFOLLOW_LINKS);
    }

    /** Lets a first copy begin, and take its name, only where it overwrites nothing by accident (G10). */
    void requireReplaceable(boolean force) throws IOException {
        requireNoPrimary();
        if (force) {
            requireUnused();
            return;
        }
        boolean empty =
                Files.isRegularFile(database) && Files.size(database) == 0; // as a reader that came early makes it
        if (databaseExists() && !empty) {
            throw notAReplica("exists already and is not a replica of this log");
        }
        for (String suffix : SQLITE_SUFFIXES) {
            Path leftover = beside(suffix);
            if (Files.exists(leftover) && Files.size(leftover) > 0) {
                throw notAReplica("holds no database, but beside it is " + leftover.getFileName()
                        + ", which SQLite would take for a part of it");
            }
        }
    }

    /** A primary keeps its log in a directory that has the name of a replica's record. */
    private void requireNoPrimary() throws NotAReplicaException {
        if (Files.isDirectory(record())) {
            throw new NotAReplicaException(
                    database + " is a primary's database: its log is in " + record()
                            + ". Nothing was changed. Choose another path; if it is a primary's no longer, move that directory away");
        }
    }

    NotAReplicaException notAReplica(String what) {
        return new NotAReplicaException(
                database + " " + what + ". Nothing was changed. Choose another path, or give --force to replace it");
    }

    /**
     * Fails when another connection has the database open: replaced under its feet, the last one to close would delete the new
     * database's WAL for the old one's. A WAL that stays behind when we open and close the database shows that we were not the last.
     */
    private void requireUnused() throws IOException {
        if (!databaseExists()) {
            return;
        }
        try (Connection connection = SqliteConnections.open(database)) {
            SqliteConnections.text(connection, "PRAGMA schema_version");
        } catch (UnsupportedException e) {
            logger().info("{} is about to be replaced: {}", database, e.getMessage());
            return;
        } catch (SQLException e) {
            IOException meaning = SqliteConnections.translate(database, e);
            if (meaning instanceof UnavailableException) {
                throw meaning;
            }
            logger().info("{} is about to be replaced: {}", database, e.getMessage());
            return;
        }
        if (Files.exists(wal())) {
            throw new UnavailableException(
                    database + " cannot be replaced while a program has it open; close it, then try again");
        }
    }

    /**
     * Opens the record, and completes a first copy that ended between being finished and having its name.
     *
     * @return null if there is no replica and nothing else in its place
     * @throws NotAReplicaException if there is a database that is none; the finished copy waits for its name then
     */
    @Nullable
    ReplicaRecord openRecord() throws IOException {
        requireNoPrimary();
        if (!Files.exists(record())) {
            if (databaseExists()) {
                throw notAReplica("exists and is no replica: " + record().getFileName() + " is missing beside it");
            }
            return null;
        }
        ReplicaRecord record;
        try {
            record = ReplicaRecord.open(record());
        } catch (CorruptException e) {
            if (databaseExists()) {
                throw e;
            }
            return null; // a loss of power while it was made leaves it so
        }
        boolean usable = false;
        try {
            if (record.renamePending()) {
                install(record);
            }
            if (databaseExists()) {
                requireLooksLike(record);
                usable = true;
                return record;
            }
            return null;
        } finally {
            if (!usable) {
                record.close();
            }
        }
    }

    /** Tells another database that was put in the replica's place, before SQLite opens it and changes its journal mode. */
    private void requireLooksLike(ReplicaRecord record) throws IOException {
        DatabaseHeader header;
        try {
            header = SqliteConnections.header(LiveDatabase.of(database));
        } catch (UnsupportedException e) {
            throw notAReplica("is not the replica that " + record().getFileName() + " belongs to: " + e.getMessage());
        }
        if (header.pageSize() != record.pageSize() || !header.wal()) {
            throw notAReplica(String.format(
                    "is not the replica that %s belongs to: expected pages of %d bytes and WAL mode, found %d bytes and %s",
                    record().getFileName(),
                    record.pageSize(),
                    header.pageSize(),
                    header.wal() ? "WAL mode" : "another journal mode"));
        }
    }

    /** Gives a finished copy its name; does the rest of it after a crash in the middle. */
    void install(ReplicaRecord record) throws IOException {
        if (Files.exists(temporary()) && FileStamp.of(temporary()).equals(record.stamp())) {
            requireNameFree(record);
            for (String suffix : SQLITE_SUFFIXES) {
                Files.deleteIfExists(beside(suffix));
            }
            Files.move(temporary(), database, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
        syncDirectory();
        CrashPoint.COPY_RENAMED.reached();
        record.renamed();
    }

    private void requireNameFree(ReplicaRecord record) throws IOException {
        try {
            requireReplaceable(record.mayReplace());
        } catch (NotAReplicaException e) {
            throw new NotAReplicaException(e.getMessage() + ". Its copy is finished: once that name is free, start"
                    + " again, and " + temporary().getFileName() + " takes it");
        }
    }

    /** Removes a record whose copy never got its name, before its temporary file is used again. */
    void forgetUnfinished() throws IOException {
        if (Files.exists(record())) {
            boolean pending;
            try (ReplicaRecord record = ReplicaRecord.open(record())) {
                pending = record.renamePending();
            } catch (CorruptException e) {
                pending = true;
            }
            if (pending) {
                Files.delete(record());
                syncDirectory();
            }
        }
    }

    void syncDirectory() throws IOException {
        Storage.directory(database.resolveSibling("")).syncDirectory();
    }
}
