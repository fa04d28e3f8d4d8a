package dev.lockstep.cli;

import dev.lockstep.Primary;
import dev.lockstep.Replica;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.RemotePrimary;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "replicate",
        description = {
            "Keep COPY equal to DB on this machine, while any programs write DB and read COPY, until Ctrl-C.",
            "",
            "Primary and replica in one process; what goes from one to the other is verified as it would be across a network. Beside DB"
                    + " a directory DB-lockstep keeps the log of its changes, beside COPY a file COPY-lockstep its position, so that"
                    + " the next start goes on from there."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  lockstep replicate app.db /backup/app.db          follow",
            "  lockstep replicate app.db /backup/app.db --once   catch up, then end",
        })
final class ReplicateCommand implements Callable<Integer> {

    @ParentCommand
    private Lockstep program;

    @Parameters(index = "0", paramLabel = "DB", description = "The database, which any program may be using.")
    private Path database;

    @Parameters(
            index = "1",
            paramLabel = "COPY",
            description = "Its replica: one that this command made before, or a path where nothing is.")
    private Path copy;

    @Mixin
    private FollowOptions following;

    @Option(names = "--data", paramLabel = "DIR", description = "Where the log goes instead of DB-lockstep.")
    private @Nullable Path data;

    @Override
    public Integer call() throws IOException {
        Databases.requireExists(database);
        Databases.requireDifferent(database, copy);
        following.check(copy);
        Primary.Builder builder = Primary.of(database);
        if (data != null) {
            builder.dataDirectory(data);
        }
        try (Primary primary = Databases.open(builder, database, program.terminal());
                LockstepServer server = LockstepServer.builder()
                        .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .database(primary)
                        .start();
                RemotePrimary upstream = RemotePrimary.of("http://127.0.0.1:" + server.port())) {
            program.stop().onSignals();
            return following.follow(
                    program,
                    Replica.of(copy, upstream),
                    copy,
                    database.toString(),
                    () -> primary.position().frameNo());
        }
    }
}
