package dev.lockstep.cli;

import dev.lockstep.Replica;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What the commands that keep a copy have in common: their options, and how they follow. */
final class FollowOptions {

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--force", description = "Copy anew, over whatever is at COPY.")
    private boolean force;

    @Option(names = "--once", description = "End when COPY has all that was committed when this began.")
    private boolean once;

    @Option(
            names = "--durable",
            description =
                    "Make each transaction durable in COPY before readers see it. Without it a loss of power costs nothing but"
                            + " fetching the last ones again.")
    private boolean durable;

    @Option(names = "--json", description = "With --once, print the summary as one JSON object.")
    private boolean json;

    /** Where a replica is to be caught up, as far as can be told before it is opened. */
    interface Target {
        long frameNo() throws IOException;
    }

    /** Refuses what cannot be, before anything is opened. */
    void check(Path copy) throws IOException {
        if (json && !once) {
            throw new ParameterException(spec.commandLine(), "--json needs --once: only what ends has a summary");
        }
        Databases.requireDirectoryFor(copy);
    }

    boolean isForced() {
        return force;
    }

    /**
     * Follows as asked.
     *
     * @param source names the primary
     * @param head the last frame that the primary has now
     * @return the exit code
     */
    int follow(Lockstep program, Replica.Builder builder, Path copy, String source, Target head) throws IOException {
        long target = once ? head.frameNo() : Long.MAX_VALUE;
        try (Replica replica = builder.force(force).durable(durable).open()) {
            Follower follower = new Follower(program.terminal(), program.stop(), replica, source);
            boolean reached = once ? follower.upTo(target) : follower.untilStopped();
            replica.close();
            return once
                    ? new Summary(copy, follower, replica)
                            .print(spec.commandLine().getOut(), reached, json)
                    : ExitCode.OK.code();
        }
    }
}
