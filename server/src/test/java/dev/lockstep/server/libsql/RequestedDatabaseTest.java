package dev.lockstep.server.libsql;

import static org.assertj.core.api.Assertions.assertThat;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.RequestHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestedDatabaseTest {

    private static RequestHeaders headers(String authority, String... more) {
        var builder = RequestHeaders.builder(HttpMethod.POST, "/x").authority(authority);
        for (int i = 0; i < more.length; i += 2) {
            builder.add(more[i], more[i + 1]);
        }
        return builder.build();
    }

    private static RequestedDatabase named(String name) {
        return new RequestedDatabase(name, false);
    }

    @ParameterizedTest
    @CsvSource({
        "app.example.com, app",
        "app.example.com:8080, app",
        "127.0.0.1:8080, ''",
        "localhost:8080, ''",
        "[::1]:8080, ''",
        "[::ffff:10.0.0.1]:8080, ''",
        "db1, ''",
        "1a.example, 1a",
        ".example, ''"
    })
    void theHostNamesADatabaseByItsFirstLabelUnlessItIsAnAddress(String authority, String name) {
        assertThat(RequestedDatabase.of(null, headers(authority))).isEqualTo(new RequestedDatabase(name, true));
    }

    @Test
    void thePathComesBeforeTheHeadersAndTheyComeBeforeTheHost() {
        RequestHeaders all =
                headers("host.example.com", "x-namespace", "text", "x-namespace-bin", "YmluYXJ5"); // "binary"
        assertThat(RequestedDatabase.of("path", all)).isEqualTo(named("path"));
        assertThat(RequestedDatabase.of(null, all)).isEqualTo(named("binary"));
        assertThat(RequestedDatabase.of(null, headers("host.example.com", "x-namespace", "text")))
                .isEqualTo(named("text"));
    }

    @Test
    void whatAnEmbeddedReplicaMakesOfTheHostCountsAsTheHost() {
        assertThat(RequestedDatabase.of(null, headers("127.0.0.1:8080", "x-namespace-bin", "MTI3"))) // "127"
                .isEqualTo(new RequestedDatabase("", true));
        assertThat(RequestedDatabase.of(null, headers("localhost:8080", "x-namespace-bin", "ZGVmYXVsdA"))) // "default"
                .isEqualTo(new RequestedDatabase("", true));
        assertThat(RequestedDatabase.of(null, headers("app.example.com", "x-namespace-bin", "YXBw"))) // "app"
                .isEqualTo(new RequestedDatabase("app", true));
    }

    @Test
    void whatIsNoBase64NamesNoDatabase() {
        assertThat(RequestedDatabase.of(null, headers("app.example.com", "x-namespace-bin", "%%%"))
                        .name())
                .contains("%%%");
    }
}
