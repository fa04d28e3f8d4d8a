package dev.lockstep.cli;

import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code lockstep} program: everything it does is a subcommand. */
@Command(
        name = "lockstep",
        description = "Verified replication of live SQLite databases.",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = Lockstep.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ReplicateCommand.class,
            DemoCommand.class,
            PrimaryCommand.class,
            ReplicaCommand.class,
            StatusCommand.class,
            VerifyCommand.class,
            LogCommand.class,
            InspectCommand.class,
            CommandLine.HelpCommand.class
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  lockstep demo                       see it work, on a database of its own",
            "  lockstep replicate app.db copy.db   keep copy.db equal to app.db, here",
            "  lockstep primary app.db             serve app.db to replicas elsewhere",
            "  lockstep replica URL copy.db        be one",
            "",
            "'lockstep COMMAND --help' says more about one command."
        })
public final class Lockstep implements Runnable {

    private static final int MIN_HELP_COLUMNS = 80;
    private static final int MAX_HELP_COLUMNS = 110;

    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-v", "--verbose"},
            scope = ScopeType.INHERIT,
            description = "Say more on standard error, with stack traces; -vv says everything.")
    void verbose(boolean[] times) {
        Verbosity.set(times.length);
    }

    private final Terminal terminal;
    private final Stop stop;

    Lockstep(Terminal terminal, Stop stop) {
        this.terminal = terminal;
        this.stop = stop;
    }

    public static void main(String[] args) {
        StandardOutput output = new StandardOutput();
        CommandLine commandLine = commandLine(Terminal.standardError(), new Stop())
                .setOut(new PrintWriter(output, true, Charset.defaultCharset()));
        int code = commandLine.execute(args);
        commandLine.getOut().flush();
        if (output.lost() != null) {
            System.err.println("lockstep: standard output: " + output.lost());
            code = code == ExitCode.OK.code() ? ExitCode.FAILURE.code() : code;
        }
        System.exit(code);
    }

    /**
     * @param terminal where progress goes
     * @param stop ends the commands that serve
     */
    static CommandLine commandLine(Terminal terminal, Stop stop) {
        Verbosity.set(0);
        CommandLine commandLine = new CommandLine(new Lockstep(terminal, stop));
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.registerConverter(Path.class, Arguments::path);
        commandLine.registerConverter(Long.class, Arguments::number);
        commandLine.registerConverter(long.class, Arguments::number);
        commandLine.setUsageHelpWidth(Math.min(Math.max(terminal.columns(), MIN_HELP_COLUMNS), MAX_HELP_COLUMNS));
        commandLine.setParameterExceptionHandler((thrown, args) -> Failures.reportUsage(thrown));
        commandLine.setExecutionExceptionHandler((thrown, command, parsed) -> {
            terminal.clear();
            return Failures.report(thrown, command, Verbosity.isVerbose());
        });
        describeExitCodes(commandLine.getCommandSpec());
        return commandLine;
    }

    private static void describeExitCodes(CommandSpec spec) {
        spec.usageMessage().exitCodeListHeading("%nExit codes:%n").exitCodeList(ExitCode.meanings());
        spec.subcommands().values().forEach(command -> describeExitCodes(command.getCommandSpec()));
    }

    Terminal terminal() {
        return terminal;
    }

    Stop stop() {
        return stop;
    }

    @Override
    public void run() {
        throw new Failures.MissingCommandException(spec.commandLine());
    }

    /** The jar's manifest names the version; classes run from a directory have none. */
    static final class Version implements IVersionProvider {

        @Override
        public String[] getVersion() {
            String version = Lockstep.class.getPackage().getImplementationVersion();
            return new String[] {"lockstep " + (version == null ? "development" : version)};
        }
    }
}
