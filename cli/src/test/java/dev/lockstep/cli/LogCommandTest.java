package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogCommandTest {

    private static final int TRANSFERS = 70;

    @TempDir
    Path directory;

    private TestLog log;

    @BeforeEach
    void make() throws Exception {
        log = TestLog.make(directory, TRANSFERS);
    }

    @Test
    void transactionsAreConsecutiveAndTheNewestIsLast() throws Exception {
        List<JsonNode> all = json("--limit", "0");
        assertThat(all).hasSize(TRANSFERS);
        for (int i = 0; i < TRANSFERS; i++) {
            JsonNode transaction = all.get(i);
            assertThat(last(transaction) - first(transaction) + 1)
                    .isEqualTo(transaction.get("frames").asLong());
            assertThat(transaction.get("seal").asText()).hasSize(64);
            if (i > 0) {
                assertThat(first(transaction)).isEqualTo(last(all.get(i - 1)) + 1);
                assertThat(transaction.get("timeMillis").asLong())
                        .isGreaterThanOrEqualTo(all.get(i - 1).get("timeMillis").asLong());
            }
        }
    }

    @Test
    void theNewestAreListedUnlessMoreAreAskedFor() throws Exception {
        List<JsonNode> all = json("--limit", "0");
        assertThat(json()).isEqualTo(all.subList(TRANSFERS - 50, TRANSFERS));
        assertThat(json("--limit", "3")).isEqualTo(all.subList(TRANSFERS - 3, TRANSFERS));
        assertThat(json("--limit", "2", "--reverse"))
                .isEqualTo(List.of(all.get(TRANSFERS - 1), all.get(TRANSFERS - 2)));
    }

    @Test
    void rangesTakeWholeTransactions() throws Exception {
        List<JsonNode> all = json("--limit", "0");
        assertThat(json("--from", last(all.get(10)), "--to", first(all.get(12))))
                .isEqualTo(all.subList(10, 13));
        assertThat(json("--from", first(all.get(60)))).isEqualTo(all.subList(60, TRANSFERS));
        LocalDateTime now = LocalDateTime.now(ZoneId.systemDefault());
        assertThat(json("--since", now.plusHours(1))).isEmpty();
        assertThat(json("--until", now.plusHours(1), "--since", now.minusHours(1)))
                .hasSize(TRANSFERS);
    }

    @Test
    void peopleGetATableThatSaysWhatWasLeftOut() {
        Cli cli = Cli.run("log", log.database());
        assertThat(cli.code()).isZero();
        assertThat(cli.out().lines()).hasSize(1 + 50 + 1);
        assertThat(cli.out())
                .contains("checksum")
                .endsWith("(the newest 50 of 70 transactions; --limit 0 lists all)" + System.lineSeparator());
    }

    @Test
    void aTableWithoutRowsHasNoHead() throws Exception {
        Cli none = Cli.run("log", log.database(), "--from", 1_000_000);
        assertThat(none.code()).isZero();
        assertThat(none.out()).isEqualTo("(no transaction there)" + System.lineSeparator());
        Cli text = Cli.run("log", Files.writeString(directory.resolve("text.txt"), "hello"));
        assertThat(text.code()).isEqualTo(1);
        assertThat(text.out()).isEmpty();
        assertThat(text.err()).contains("text.txt is neither a wallog");
    }

    private List<JsonNode> json(Object... options) throws Exception {
        Object[] arguments = new Object[options.length + 3];
        arguments[0] = "log";
        arguments[1] = log.database();
        arguments[2] = "--json";
        System.arraycopy(options, 0, arguments, 3, options.length);
        Cli cli = Cli.run(arguments);
        assertThat(cli.code()).as(cli.err()).isZero();
        return cli.jsonLines();
    }

    private static long first(JsonNode transaction) {
        return transaction.get("firstFrame").asLong();
    }

    private static long last(JsonNode transaction) {
        return transaction.get("lastFrame").asLong();
    }
}
