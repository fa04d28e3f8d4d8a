package dev.lockstep.cli;

import dev.lockstep.Replica;
import dev.lockstep.server.RemotePrimary;
import dev.lockstep.server.ServerStatus;
import dev.lockstep.server.libsql.LibsqlPrimary;
import dev.lockstep.stream.Upstream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "replica",
        description = {
            "Keep COPY equal to a primary's database, verified transaction by transaction, until Ctrl-C.",
            "",
            "Any SQLite program can read COPY meanwhile. It goes on across restarts and broken connections of either side, from where it"
                    + " was. What does not continue its chain of checksums it refuses: it then stops with exit code 3 or 4, and COPY"
                    + " keeps its last good state."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  lockstep replica http://db1:7878/app copy.db          follow",
            "  lockstep replica http://db1:7878/app copy.db --once   catch up, then end",
            "  lockstep replica libsql+http://db1:8080 copy.db       follow a libSQL server"
        })
final class ReplicaCommand implements Callable<Integer> {

    @ParentCommand
    private Lockstep program;

    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "URL",
            description =
                    "The primary, as it printed it: http://HOST:PORT/NAME or https://... The name may be left out if it serves one database."
                            + " libsql+http://HOST:PORT is a server that speaks libSQL's protocol only: page bytes and their order"
                            + " are verified, page numbers and sizes are not.")
    private String url;

    @Parameters(
            index = "1",
            paramLabel = "COPY",
            description = "The replica's database: one that follows this primary already, or a path where nothing is.")
    private Path copy;

    @Mixin
    private FollowOptions following;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "What the primary's status calls this replica; by default host and file name.")
    private @Nullable String name;

    @Option(names = "--zstd", description = "Have the frames compressed on the way, for slow networks.")
    private boolean compression;

    @Mixin
    private ServerOptions server;

    @Override
    public Integer call() throws IOException {
        program.stop().onSignals();
        if (name != null && name.isBlank()) {
            throw new ParameterException(spec.commandLine(), "--name is empty; leave it out for host and file name");
        }
        if (LibsqlPrimary.isUrl(url)) {
            following.check(copy);
            return followLibsql();
        }
        try (RemotePrimary primary = connect()) { // which names the URL first if both have changed places
            following.check(copy);
            return follow(primary, () -> headOf(primary));
        }
    }

    private int follow(Upstream primary, FollowOptions.Target head) throws IOException {
        Replica.Builder builder = Replica.of(copy, primary);
        if (name != null) {
            builder.name(name);
        }
        return following.follow(program, builder, copy, url, head);
    }

    private int followLibsql() throws IOException {
        Path log = copy.resolveSibling(copy.getFileName() + "-libsql");
        boolean fresh = following.isForced() || !LocalReplica.isAt(copy);
        try (LibsqlPrimary primary = LibsqlPrimary.follow(url, log, fresh, server.authorities(), server.authToken())) {
            return follow(primary, primary::head);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private RemotePrimary connect() {
        try {
            return server.primary(url).compression(compression).build();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private long headOf(RemotePrimary primary) throws IOException {
        ServerStatus status = primary.status();
        if (status.databases().size() != 1) {
            throw new ParameterException(
                    spec.commandLine(),
                    url + " serves several databases; add the name of one of them: "
                            + String.join(
                                    ", ",
                                    status.databases().stream()
                                            .map(ServerStatus.Database::name)
                                            .toList()));
        }
        return status.databases().get(0).durable().frameNo();
    }
}
