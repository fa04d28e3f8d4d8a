package dev.lockstep.server.libsql;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.server.Node;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** A real embedded replica: npm libsql in a node process of its own. */
final class EmbeddedReplica implements AutoCloseable {

    /** What stands before an answer; the client's own log has other lines. */
    private static final String ANSWER = "answer:";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final BufferedWriter commands;
    private final BufferedReader answers;

    /** Starts the process; {@link #open} makes the replica. Skips the calling test where node is missing. */
    EmbeddedReplica(Path file, String url, String options, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = Node.builder("embedded.mjs", file.toString(), url, options);
        builder.environment().putAll(environment);
        process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        commands = process.outputWriter(StandardCharsets.UTF_8);
        answers = process.inputReader(StandardCharsets.UTF_8);
    }

    /** An open replica. */
    static EmbeddedReplica open(Path file, String url) throws IOException {
        EmbeddedReplica replica = new EmbeddedReplica(file, url, "{}", Map.of());
        replica.open();
        return replica;
    }

    void open() throws IOException {
        value(JSON.createObjectNode().put("op", "open"));
    }

    /** Until it is level with the primary. Gives what the client says: {"frames_synced":..., "frame_no":...}. */
    JsonNode sync() throws IOException {
        return value(JSON.createObjectNode().put("op", "sync"));
    }

    JsonNode all(String sql) throws IOException {
        return value(JSON.createObjectNode().put("op", "all").put("sql", sql));
    }

    JsonNode run(String sql) throws IOException {
        return value(JSON.createObjectNode().put("op", "run").put("sql", sql));
    }

    void exec(String sql) throws IOException {
        value(JSON.createObjectNode().put("op", "exec").put("sql", sql));
    }

    /** What a command fails with. */
    JsonNode failureOf(String operation, String sql) throws IOException {
        JsonNode answer = ask(JSON.createObjectNode().put("op", operation).put("sql", sql));
        if (!answer.has("error")) {
            throw new AssertionError(operation + " " + sql + " did not fail: " + answer);
        }
        return answer;
    }

    private JsonNode value(ObjectNode command) throws IOException {
        JsonNode answer = ask(command);
        if (answer.has("error")) {
            throw new AssertionError(command + ": " + answer);
        }
        return answer.get("value");
    }

    private JsonNode ask(ObjectNode command) throws IOException {
        commands.write(command + "\n");
        commands.flush();
        for (String line = answers.readLine(); line != null; line = answers.readLine()) {
            if (line.startsWith(ANSWER)) {
                return JSON.readTree(line.substring(ANSWER.length()));
            }
        }
        throw new AssertionError("node ended at " + command);
    }

    /** Ends the process, so that its file can be read. */
    @Override
    public void close() throws IOException {
        commands.close();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            throw new IllegalStateException(e);
        }
    }
}
