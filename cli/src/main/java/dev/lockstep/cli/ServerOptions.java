package dev.lockstep.cli;

import dev.lockstep.server.RemotePrimary;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What the commands that ask a server have in common. */
final class ServerOptions {

    @Option(
            names = "--tls-ca",
            paramLabel = "PEM",
            description = "The authorities to trust for https, instead of those that the JVM trusts.")
    private @Nullable Path authorities;

    @Option(
            names = "--auth-token",
            paramLabel = "TOKEN",
            defaultValue = "${env:LOCKSTEP_AUTH_TOKEN}",
            description =
                    "Shown to a server that asks who comes. Others on this machine can read a command line: better put it into the"
                            + " environment variable LOCKSTEP_AUTH_TOKEN.")
    private @Nullable String authToken;

    @Nullable
    Path authorities() {
        return authorities;
    }

    @Nullable
    String authToken() {
        return authToken == null || authToken.isEmpty() ? null : authToken;
    }

    /** @throws IllegalArgumentException if it is no primary's URL */
    RemotePrimary.Builder primary(String url) {
        return RemotePrimary.builder(url).trust(authorities).authToken(authToken);
    }
}
