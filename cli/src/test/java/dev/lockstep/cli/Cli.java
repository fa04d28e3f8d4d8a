package dev.lockstep.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** One run of a command in this process. */
final class Cli {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Stop stop = new Stop();
    private final CompletableFuture<Integer> code;

    private Cli(Object... arguments) {
        String[] texts = Arrays.stream(arguments).map(String::valueOf).toArray(String[]::new);
        PrintStream errors = new PrintStream(err, true, UTF_8);
        code = CompletableFuture.supplyAsync(
                () -> Lockstep.commandLine(new Terminal(errors, 0), stop)
                        .setOut(new PrintWriter(out, true, UTF_8))
                        .setErr(new PrintWriter(errors, true, UTF_8))
                        .execute(texts),
                task -> new Thread(task, "test " + String.join(" ", texts)).start());
    }

    /** Runs a command to its end. */
    static Cli run(Object... arguments) {
        Cli cli = start(arguments);
        cli.code();
        return cli;
    }

    /** Starts a command that goes on until it is stopped. */
    static Cli start(Object... arguments) {
        return new Cli(arguments);
    }

    /** Ends it as Ctrl-C does, and returns its exit code. */
    int stop() {
        stop.request();
        return code();
    }

    /** Waits for its end. */
    int code() {
        return code.orTimeout(60, TimeUnit.SECONDS).join();
    }

    boolean isRunning() {
        return !code.isDone();
    }

    String out() {
        return out.toString(UTF_8);
    }

    String err() {
        return err.toString(UTF_8);
    }

    /** The one JSON object that it printed. */
    JsonNode json() throws IOException {
        return json(out());
    }

    List<JsonNode> jsonLines() throws IOException {
        return jsonLines(out());
    }

    /** The one JSON object in a text. */
    static JsonNode json(String text) throws IOException {
        List<JsonNode> lines = jsonLines(text);
        if (lines.size() != 1) {
            throw new AssertionError("one JSON object expected, found: " + text);
        }
        return lines.get(0);
    }

    private static List<JsonNode> jsonLines(String text) throws IOException {
        return MAPPER.readerFor(JsonNode.class).<JsonNode>readValues(text).readAll();
    }
}
