package dev.lockstep.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code lockstep} program: everything it does is a subcommand. */
@Command(
        name = "lockstep",
        description = "Verified replication of live SQLite databases.",
        mixinStandardHelpOptions = true,
        versionProvider = Lockstep.Version.class,
        synopsisSubcommandLabel = "COMMAND")
public final class Lockstep implements Runnable {

    @Spec
    private CommandSpec spec;

    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        return new CommandLine(new Lockstep());
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command");
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
