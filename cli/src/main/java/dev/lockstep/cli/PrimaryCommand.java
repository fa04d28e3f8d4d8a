package dev.lockstep.cli;

import dev.lockstep.Primary;
import dev.lockstep.log.FrameLog;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.ServerStatus;
import dev.lockstep.server.sql.SqlLimits;
import dev.lockstep.stream.ReplicaStatus;
import dev.lockstep.stream.SenderOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "primary",
        description = {
            "Capture databases that any programs write, and serve them to replicas, until Ctrl-C.",
            "",
            "Beside app.db a directory app.db-lockstep keeps the log of its changes. Nothing else changes for those who use app.db: it"
                    + " is put into WAL mode if it is not, and Lockstep does its checkpoints."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  lockstep primary app.db                      for replicas on this machine",
            "  lockstep primary app.db --listen :7878       for all that can reach it",
            "  lockstep primary a.db b.db --data /var/lib/lockstep",
            "  lockstep primary --databases /srv/databases --admin-listen 127.0.0.1:7879"
        })
final class PrimaryCommand implements Callable<Integer> {

    private static final long REFRESH_MILLIS = 500;

    @ParentCommand
    private Lockstep program;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DB", arity = "0..*", description = "The databases.")
    private List<Path> databases = List.of();

    @Option(
            names = "--listen",
            paramLabel = "ADDRESS",
            converter = Addresses.Converter.class,
            defaultValue = "127.0.0.1:" + LockstepServer.DEFAULT_PORT,
            description =
                    "HOST:PORT where replicas connect; port 0 takes any that is free. By default ${DEFAULT-VALUE}. Without"
                            + " --auth-jwt-key-file, whoever can connect can copy the databases. Embedded replicas of libSQL connect"
                            + " there too.")
    private InetSocketAddress address;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Where the log goes instead of DB-lockstep; with several databases each gets DIR/NAME.")
    private @Nullable Path data;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description =
                    "What replicas call the database, by default its file name without extension. With several databases"
                            + " given once for each, in the same order.")
    private @Nullable List<String> names;

    @Option(
            names = "--databases",
            paramLabel = "DIR",
            description =
                    "A directory of databases that are made and dropped by the admin API; those that are in it (NAME/data.db) are"
                            + " served.")
    private @Nullable Path directory;

    @Option(
            names = "--admin-listen",
            paramLabel = "HOST:PORT",
            converter = Addresses.Converter.class,
            description =
                    "Serve the admin API there: POST /v1/namespaces/NAME/create, DELETE /v1/namespaces/NAME. Whoever can"
                            + " connect can drop databases.")
    private @Nullable InetSocketAddress adminAddress;

    @Option(names = "--tls-cert", paramLabel = "PEM", description = "Serve over TLS, with this chain of certificates.")
    private @Nullable Path certificates;

    @Option(
            names = "--tls-key",
            paramLabel = "PEM",
            description = "The key of the first certificate, without password.")
    private @Nullable Path key;

    @Option(
            names = "--auth-jwt-key-file",
            paramLabel = "FILE",
            description =
                    "Serve only those who show a token (JWT) that one of these public keys has signed: Ed25519, P-256 or RSA as PEM,"
                            + " or one of Ed25519 in URL-safe base64. The token's claim a tells whether it is for reading only"
                            + " (ro) or for writing too (rw).")
    private @Nullable Path jwtKeys;

    @Option(names = "--create", description = "Create a database that does not exist.")
    private boolean create;

    @Option(
            names = "--retain",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description =
                    "How much of each log to keep at least for replicas that are away, as 500MB or 20GB; by default 1.07GB. A"
                            + " replica that comes back later than that needs a new copy.")
    private @Nullable Long retain;

    @Option(
            names = "--eager",
            description =
                    "Send changes before they are durable here. Replicas are quicker; if this machine loses power, they may"
                            + " be ahead of it and then stop as diverged.")
    private boolean eager;

    @Option(
            names = "--sql",
            negatable = true,
            description =
                    "Let clients of libSQL (@libsql/client and others) run SQL on the databases at the same address, reading and writing."
                            + " By default only when --listen names this machine, or --auth-jwt-key-file is given.")
    private @Nullable Boolean sql;

    @Override
    public Integer call() throws IOException {
        Map<String, Path> byName = DatabaseNames.assign(spec.commandLine(), databases, names);
        requireSensible();
        List<Primary> primaries = new ArrayList<>();
        try {
            LockstepServer.Builder server = server();
            allowSql(server);
            for (Path database : byName.values()) {
                requireSensible(database);
            }
            server.check(); // a database is not to be changed for nothing
            for (Map.Entry<String, Path> database : byName.entrySet()) {
                Primary primary = open(database.getKey(), database.getValue(), byName.size() == 1);
                primaries.add(primary);
                server.database(primary);
            }
            program.stop().onSignals();
            try (LockstepServer started = server.start()) {
                announce(byName, started);
                while (!program.stop().await(REFRESH_MILLIS)) {
                    if (program.terminal().isTerminal()) {
                        program.terminal().show(line(started.status()));
                    }
                }
                program.terminal().clear();
            }
        } finally {
            close(primaries);
        }
        return ExitCode.OK.code();
    }

    private void requireSensible() throws IOException {
        Addresses.requireResolved(address);
        if (databases.isEmpty() && directory == null) {
            throw new ParameterException(
                    spec.commandLine(), "name a database, or a directory of them with --databases");
        }
        if (adminAddress != null) {
            Addresses.requireResolved(adminAddress);
            if (directory == null) {
                throw new ParameterException(
                        spec.commandLine(), "--admin-listen needs --databases: where it makes databases");
            }
        }
        if ((certificates == null) != (key == null)) {
            throw new ParameterException(spec.commandLine(), "--tls-cert and --tls-key go together; give both");
        }
    }

    private LockstepServer.Builder server() {
        LockstepServer.Builder server = LockstepServer.builder()
                .listen(address)
                .sender(SenderOptions.defaults().withEager(eager));
        if (directory != null) {
            server.databaseDirectory(directory);
        }
        if (adminAddress != null) {
            server.admin(adminAddress);
        }
        if (certificates != null && key != null) {
            server.tls(certificates, key);
        }
        if (jwtKeys != null) {
            server.authJwtKey(jwtKeys);
        }
        return server;
    }

    private void allowSql(LockstepServer.Builder server) {
        SqlAccess access = SqlAccess.of(sql, address, jwtKeys != null);
        if (access.allowed()) {
            server.sql(SqlLimits.defaults());
        }
        if (access.warning() != null) {
            program.terminal().report(access.warning());
        }
    }

    private void requireSensible(Path database) throws IOException {
        if (create) {
            Databases.requireDirectoryFor(database);
        } else {
            Databases.requireExists(database);
        }
    }

    private Primary open(String name, Path database, boolean alone) throws IOException {
        Primary.Builder builder = Primary.of(database).name(name);
        if (data != null) {
            builder.dataDirectory(alone ? data : data.resolve(name));
        }
        if (retain != null) {
            builder.log(FrameLog.Options.retaining(retain));
        }
        return Databases.open(builder, database, program.terminal());
    }

    /** For people and for programs that start this one: one line for each database, as soon as replicas can connect. */
    private void announce(Map<String, Path> byName, LockstepServer started) {
        PrintWriter out = spec.commandLine().getOut();
        String scheme = certificates == null ? "http" : "https";
        byName.forEach((name, database) ->
                out.println(Addresses.url(scheme, address, started.port(), name) + "  serves  " + database));
        if (directory != null) {
            out.println(Addresses.url(scheme, address, started.port(), "NAME") + "  serves what is in  " + directory);
        }
        if (adminAddress != null) {
            out.println(
                    Addresses.url("http", adminAddress, started.adminPort(), "v1/namespaces") + "  makes and drops");
        }
        out.flush();
    }

    private static String line(ServerStatus status) {
        List<String> parts = new ArrayList<>();
        for (ServerStatus.Database database : status.databases()) {
            long lag = database.replicas().stream()
                    .mapToLong(ReplicaStatus::lagFrames)
                    .max()
                    .orElse(0);
            parts.add(
                    database.name() + ": frame " + Formats.count(database.head().frameNo())
                            + (database.capture().failure().isEmpty() ? "" : " (capture failed)") + ", "
                            + Formats.count(database.replicas().size(), "replica")
                            + (lag == 0 ? "" : ", " + Formats.count(lag) + " behind"));
        }
        return String.join("   ", parts);
    }

    private static void close(List<Primary> primaries) throws IOException {
        IOException failure = null;
        for (Primary primary : primaries) {
            try {
                primary.close();
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
