package dev.lockstep.testing;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The machine's {@code sqlite3} shell: a foreign program with an SQLite of its own. An instance is one process with one connection;
 * the static methods run a process each. Tests that use it start with {@code Programs.require("sqlite3")}.
 */
public final class Sqlite3 implements Closeable {

    private static final String END = "--end of answer--";

    private final Process process;
    private final BufferedWriter in;
    private final BufferedReader out;

    public Sqlite3(Path database) throws IOException {
        process = new ProcessBuilder("sqlite3", "-batch", database.toString())
                .redirectErrorStream(true)
                .start();
        in = process.outputWriter(StandardCharsets.UTF_8);
        out = process.inputReader(StandardCharsets.UTF_8);
    }

    /** Runs SQL or dot commands in this connection and returns all output, errors too, without the last line end. */
    public String ask(String sql) {
        try {
            in.write(sql + "\n.print " + END + "\n");
            in.flush();
            StringBuilder answer = new StringBuilder();
            for (String line = out.readLine(); line != null && !line.equals(END); line = out.readLine()) {
                answer.append(answer.length() == 0 ? "" : "\n").append(line);
            }
            return answer.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the process as kill -9 does. */
    public void kill() {
        process.destroyForcibly();
        join(process);
    }

    @Override
    public void close() throws IOException {
        in.close();
        join(process);
    }

    /** Opens the database in a new process, runs the SQL, closes, and returns all output; an error fails the test. */
    public static String run(Path database, String sql) throws IOException {
        try (Sqlite3 shell = new Sqlite3(database)) {
            String answer = shell.ask(sql);
            if (answer.contains("rror near line ") || answer.contains("Error: ")) {
                throw new AssertionError(sql + ": " + answer);
            }
            return answer;
        }
    }

    /** Copies a file in another process: in this one it could drop SQLite's locks on it. */
    public static void copy(Path from, Path to) throws IOException {
        Process cp = new ProcessBuilder("cp", from.toString(), to.toString())
                .inheritIO()
                .start();
        if (join(cp) != 0) {
            throw new IOException("cp " + from + " " + to + " failed");
        }
    }

    private static int join(Process process) {
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            throw new IllegalStateException(e);
        }
    }
}
