package dev.lockstep.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {

    private static Settings parse(String rest) throws SQLException {
        return Settings.parse(Settings.PREFIX + rest, new Properties());
    }

    @Test
    void aPathIsAPrimary() throws SQLException {
        Settings settings = parse("/data/app.db?ack=replicas(2)&foreign_keys=true");
        assertThat(settings.mode()).isEqualTo(Settings.Mode.PRIMARY);
        assertThat(settings.path()).isEqualTo(Path.of("/data/app.db"));
        assertThat(settings.acknowledgement()).isEqualTo(Acknowledgement.replicas(2));
        assertThat(settings.sqlite()).containsEntry("foreign_keys", "true");
        assertThat(settings.duration(Option.TIMEOUT)).isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void aPathWithAPrimaryIsAReplica() throws SQLException {
        Settings settings = parse("copy.db?primary=http://127.0.0.1:7878/app&maxLag=3s&whenStale=primary");
        assertThat(settings.mode()).isEqualTo(Settings.Mode.REPLICA);
        assertThat(settings.server()).hasToString("http://127.0.0.1:7878/app");
        assertThat(settings.maxLag()).isEqualTo(Duration.ofSeconds(3));
        assertThat(settings.whenStale()).isEqualTo(Settings.WhenStale.PRIMARY);
    }

    @Test
    void aUrlIsRemoteAndLibsqlMeansHttps() throws SQLException {
        Settings settings = parse("libsql://db.example.com?authToken=a%2Bb+c&timeout=500ms");
        assertThat(settings.mode()).isEqualTo(Settings.Mode.REMOTE);
        assertThat(settings.server()).hasToString("https://db.example.com");
        assertThat(settings.text(Option.AUTH_TOKEN)).isEqualTo("a+b+c");
        assertThat(settings.duration(Option.TIMEOUT)).isEqualTo(Duration.ofMillis(500));
    }

    @Test
    void theUrlWinsAgainstProperties() throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("timeout", "1s");
        properties.setProperty("linger", "2s");
        properties.setProperty("user", "sa");
        Settings settings = Settings.parse("jdbc:lockstep:a.db?timeout=3s", properties);
        assertThat(settings.duration(Option.TIMEOUT)).isEqualTo(Duration.ofSeconds(3));
        assertThat(settings.duration(Option.LINGER)).isEqualTo(Duration.ofSeconds(2));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ''                                   | neither a file nor a server
            ?ack=none                            | neither a file nor a server
            a.db?ack                             | "ack" is not of the form
            a.db?akc=none                        | option akc is neither
            a.db?ack=2                           | ack=2 is none of none, durable, replicas(N)
            a.db?maxLag=5s                       | maxLag is for connections of kind replica, and this one is primary
            a.db?linger=soon                     | linger=soon is no duration, such as
            a.db?listen=127.0.0.1                | option listen: '127.0.0.1' is not HOST:PORT
            a.db?primary=ftp://x                 | "ftp://x" is no address of a server
            a.db?primary=http://x:1&maxLag=500ms | maxLag=500ms is below 2s
            a.db?primary=http://x:1&open_mode=1  | open_mode has no place on a replica
            a.db?primary=http://x:1&whenStale=go | whenStale=go is none of wait, refuse, primary
            http://x:1?whenUnreachable=later     | whenUnreachable=later is none of fail, wait
            http://x:1?foreign_keys=true         | foreign_keys is for a database in this process
            http://x:1?ack=durable               | ack is for connections of kind primary, and this one is remote
            """)
    void whatCannotBeUnderstoodIsNamed(String rest, String problem) {
        assertThatThrownBy(() -> parse(rest)).isInstanceOf(SQLException.class).hasMessageContaining(problem);
    }

    @Test
    void theManualListsEveryOptionAsItIs() throws Exception {
        String manual = Files.readString(Path.of("..", "docs", "jdbc.md"));
        for (Option option : Option.values()) {
            String standard = option.standard().isEmpty() ? "" : "`" + option.standard() + "`";
            assertThat(manual)
                    .contains("| `" + option.key() + "` | " + option.fitting() + " | " + standard + " | "
                            + option.description() + " |");
        }
    }

    @Test
    void tokensDoNotShowInMessages() {
        assertThatThrownBy(() -> parse("http://x:1?authToken=secret&akc=1")).hasMessageNotContaining("secret");
    }
}
