package dev.lockstep.cli;

import static java.util.Objects.requireNonNull;

import dev.lockstep.Primary;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.stream.Stream;

/** The log of a small bank, written by a real primary that has ended. */
record TestLog(Path database, int transfers) {

    /** Makes {@code app.db} in the directory, with one transaction for each transfer in its log. */
    static TestLog make(Path directory, int transfers) throws IOException, SQLException {
        Path database = directory.resolve("app.db");
        try (Bank bank = Bank.open(database);
                Primary primary = Primary.of(database).open()) {
            bank.transfer(transfers);
            primary.log().sync();
        }
        return new TestLog(database, transfers);
    }

    Path data() {
        return LogPath.dataDirectory(database);
    }

    Path directory() {
        return data().resolve("log");
    }

    /** The frames' file of its only segment. */
    Path segment() throws IOException {
        try (Stream<Path> files = Files.list(directory())) {
            return requireNonNull(files.filter(file -> file.toString().endsWith(".wallog"))
                    .findFirst()
                    .orElse(null));
        }
    }

    /** Flips one bit of the frames' file. */
    void flip(long offset) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(segment().toFile(), "rw")) {
            file.seek(offset);
            int before = file.read();
            file.seek(offset);
            file.write(before ^ 1);
        }
    }
}
