package dev.lockstep.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.Primary;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.sql.SqlLimits;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;

/**
 * SQL through libSQL's own client over loopback: reads of one row by key, and writes of one row, one at a time and 16 at once. The baseline of
 * the reads over http is the same client against a server that answers every request with a constant.
 */
final class HranaBench {

    private static final Path SCRIPTS = Path.of("server/src/test/js");

    private HranaBench() {}

    static void run(Table table) throws Exception {
        Path database = Workplace.fresh().resolve("app.db");
        create(database);
        try (Primary primary = Primary.of(database).open();
                LockstepServer server = LockstepServer.builder()
                        .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .database(primary)
                        .sql(SqlLimits.defaults())
                        .start()) {
            String address = "127.0.0.1:" + server.port();
            measure(table, "floor", "http://" + address, "ws://" + address);
        }
    }

    private static void create(Path database) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA journal_mode=WAL");
            statement.execute("CREATE TABLE bench (id INTEGER PRIMARY KEY, v TEXT)");
            statement.execute(
                    "INSERT INTO bench WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)"
                            + " SELECT i, 'a value of row ' || i FROM n");
            statement.execute("CREATE TABLE written (id INTEGER PRIMARY KEY, v TEXT)");
        }
    }

    private static void measure(Table table, String... targets) throws IOException, InterruptedException {
        String[] command = new String[targets.length + 2];
        command[0] = "node";
        command[1] = "bench.mjs";
        System.arraycopy(targets, 0, command, 2, targets.length);
        Process process = new ProcessBuilder(command)
                .directory(SCRIPTS.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Map<String, Double> floor = new HashMap<>();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                report(table, new JsonMapper().readTree(line), floor);
            }
        }
        if (process.waitFor() != 0) {
            throw new IOException("bench.mjs failed; `./dev test` installs what it needs");
        }
    }

    private static void report(Table table, JsonNode figures, Map<String, Double> floor) {
        String what =
                figures.get("name").asText() + "s, " + figures.get("lanes").asText() + " at once";
        double perSecond = figures.get("perSecond").asDouble();
        String kind = figures.get("kind").asText();
        if (kind.equals("floor")) {
            floor.put("http" + what, perSecond);
            return;
        }
        String name = "@libsql/client over " + kind + ", " + what + ": ";
        Double baseline = floor.get(kind + what);
        if (baseline == null) {
            table.row(name + "per second", "%.0f", perSecond, "");
        } else {
            table.row(name + "per second", "%.0f", baseline, perSecond, "");
        }
        table.row(name + "p99", "%.1f ms", figures.get("p99Millis").asDouble(), "");
    }
}
