package dev.lockstep.sqlite;

import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** Opens SQLite connections for the engine, and refuses what it cannot work with. */
public final class SqliteConnections {

    private static final Logger log = LoggerFactory.getLogger(SqliteConnections.class);

    /** Before this release a checkpointer and a writer in different processes could race on a WAL reset. */
    private static final int[] OLDEST_LIBRARY = {3, 51, 3};

    /** A program that closes its last connection holds SQLite's PENDING lock for a moment. */
    static final int OPEN_TIMEOUT_MILLIS = 10_000;

    private static final Set<String> NETWORK_FILE_SYSTEMS =
            Set.of("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs");

    private SqliteConnections() {}

    /**
     * Opens {@code database} (created if absent) and makes sure it is in WAL mode, switching it with a notice. The connection has
     * read, so its wal-index exists.
     *
     * @throws UnsupportedException for a file system, library or journal mode that replication cannot work with
     * @throws UnavailableException when another program keeps it locked
     */
    public static Connection openWal(Path database) throws IOException {
        refuseNetworkFileSystem(database);
        refuseUnwritable(database);
        Connection connection = open(database);
        try {
            requireLibrary(connection);
            String mode = text(connection, "PRAGMA journal_mode");
            if (!mode.equals("wal")) {
                boolean fresh = Files.size(database) == 0;
                String now = text(connection, "PRAGMA journal_mode=WAL");
                if (!now.equals("wal")) {
                    throw new UnsupportedException(database + ": SQLite keeps it in journal mode " + now
                            + "; replication needs WAL, which this file or file system does not allow");
                }
                if (!fresh) {
                    log.warn(
                            "{}: switched from journal mode {} to WAL, which replication needs and other programs can use as before",
                            database,
                            mode);
                }
            }
            text(connection, "PRAGMA user_version");
            return connection;
        } catch (IOException | SQLException e) {
            closeQuietly(connection);
            throw e instanceof IOException io ? io : translate(database, (SQLException) e);
        }
    }

    /** Opens one more connection to a database that {@link #openWal} has prepared. */
    public static Connection open(Path database) throws IOException {
        return open(database, false);
    }

    /** The same for reading only, if wanted: SQLite then refuses to write. */
    public static Connection open(Path database, boolean readOnly) throws IOException {
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(OPEN_TIMEOUT_MILLIS);
        config.setReadOnly(readOnly);
        try {
            Connection connection = config.createConnection("jdbc:sqlite:" + database.toUri());
            try {
                execute(connection, "PRAGMA wal_autocheckpoint=0");
            } catch (SQLException e) {
                closeQuietly(connection);
                throw e;
            }
            return connection;
        } catch (SQLException e) {
            throw translate(database, e);
        }
    }

    /** Opens one that keeps hardly any pages, because nobody queries there. */
    public static Connection openSmall(Path database) throws IOException {
        Connection connection = open(database);
        try {
            execute(connection, "PRAGMA cache_size=2"); // from 3 pages on SQLite allocates 20 at a time
            execute(connection, "PRAGMA shrink_memory");
            return connection;
        } catch (SQLException e) {
            closeQuietly(connection);
            throw translate(database, e);
        }
    }

    /**
     * Opens one that saves the WAL from the others: while it is open, none of them is the last to close, and when it is itself, SQLite
     * neither copies nor deletes the WAL, because it cannot lock the database exclusively through a handle that only reads.
     *
     * @param database which has a WAL
     */
    public static Connection openKeeper(Path database) throws IOException {
        Connection connection = open(database, true);
        try {
            text(connection, "PRAGMA user_version");
            return connection;
        } catch (SQLException e) {
            closeQuietly(connection);
            throw translate(database, e);
        }
    }

    /** Reads the header of {@code database} through the never-closed handle. */
    public static DatabaseHeader header(LiveDatabase database) throws IOException {
        byte[] bytes = new byte[DatabaseHeader.SIZE];
        if (database.read(0, bytes, 0, bytes.length) < bytes.length) {
            throw new UnsupportedException(
                    database.path() + " is not a SQLite database: it is shorter than the header of one");
        }
        return DatabaseHeader.decode(ByteBuffer.wrap(bytes), database.path());
    }

    /** What an SQLite failure on {@code database} means to a user of Lockstep. */
    public static IOException translate(Path database, SQLException e) {
        SQLiteErrorCode code = e instanceof SQLiteException se ? se.getResultCode() : SQLiteErrorCode.UNKNOWN_ERROR;
        return switch (code) {
            case SQLITE_BUSY, SQLITE_BUSY_RECOVERY, SQLITE_BUSY_SNAPSHOT, SQLITE_BUSY_TIMEOUT, SQLITE_PROTOCOL ->
                new UnavailableException(
                        database + " is locked by another program (" + e.getMessage()
                                + "); end one that holds it, with a transaction that writes or locking_mode=EXCLUSIVE, then try again");
            case SQLITE_NOTADB ->
                new UnsupportedException(
                        database + " is not a SQLite database, or is encrypted (" + e.getMessage() + ")");
            default -> new IOException(database + ": " + e.getMessage(), e);
        };
    }

    /** Runs one statement without a result. */
    public static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The first column of the first row. */
    public static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "";
        }
    }

    /** Closes for the second time of asking: the failure that led here is the one to report. */
    public static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            log.debug("closing after a failure", e);
        }
    }

    private static void requireLibrary(Connection connection) throws SQLException, UnsupportedException {
        String version = text(connection, "SELECT sqlite_version()");
        String[] parts = version.split("\\.");
        for (int i = 0; i < OLDEST_LIBRARY.length; i++) {
            int difference = Integer.compare(Integer.parseInt(parts[i]), OLDEST_LIBRARY[i]);
            if (difference > 0) {
                return;
            }
            if (difference < 0) {
                throw new UnsupportedException("sqlite-jdbc on the class path carries SQLite " + version
                        + "; Lockstep needs 3.51.3 or later, because older ones can lose a WAL reset race");
            }
        }
    }

    /** SQLite would open it for reading, and give the files beside it to a user whose WAL its owner cannot write. */
    private static void refuseUnwritable(Path database) throws UnsupportedException {
        if (Files.exists(database) && !Files.isWritable(database)) {
            throw new UnsupportedException(
                    database + " cannot be written by this user (" + System.getProperty("user.name")
                            + "), and replication needs that for its checkpoints; run Lockstep as the user whose programs write to it");
        }
    }

    private static void refuseNetworkFileSystem(Path database) throws IOException {
        Path directory = database.toAbsolutePath().getParent();
        String type = Files.getFileStore(directory).type().toLowerCase(Locale.ROOT);
        if (NETWORK_FILE_SYSTEMS.contains(type)) {
            throw new UnsupportedException(database + " is on a network file system (" + type
                    + "), where SQLite's WAL does not work between machines; move it to a local disk");
        }
    }
}
