package dev.lockstep.server;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.server.libsql.LibsqlPrimary;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RemotePrimaryTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    app.db                    | does not begin with http://
                    db1:7878                  | does not begin with http://
                    ftp://db1:7878/app        | does not begin with http://
                    http://db1/app            | the port is missing
                    http://db1:99999/app      | no such port
                    http://db_1:7878/app      | no host that can be
                    http://db1:7878/app/more  | no '/' in it
                    http://db1:7878/a b       | illegal character
                    http://me:pw@db1:7878/app | more in it than host, port and name
                    http://db1:7878/app?a=b   | more in it than host, port and name
                    http://db1:7878/app#a     | more in it than host, port and name
                    """)
    void whatIsNoAddressOfAPrimaryIsRefusedWithTheReason(String url, String reason) {
        assertThatThrownBy(() -> LibsqlPrimary.follow("libsql+" + url, Path.of("nowhere"), true, null, null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "'libsql+" + url + "'",
                        reason.replace("http:", "libsql+http:"),
                        "libsql+http://HOST:PORT/NAME");
        assertThatThrownBy(() -> RemotePrimary.builder(url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("'" + url + "'", reason, "http://HOST:PORT/NAME");
    }
}
