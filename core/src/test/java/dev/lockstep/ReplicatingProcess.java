package dev.lockstep;

import dev.lockstep.Replica.State;
import dev.lockstep.testing.PrimaryProcess;
import org.jspecify.annotations.Nullable;

/**
 * A {@link PrimaryProcess} with a durable replica, {@code copy.db} beside its database. It also prints what happens to the replica: {@code shows
 * FRAME} or {@code failed: WHY}.
 */
final class ReplicatingProcess {

    private ReplicatingProcess() {}

    public static void main(String[] arguments) throws Exception {
        PrimaryProcess.run(arguments, primary -> {
            LocalUpstream upstream = new LocalUpstream(primary);
            Replica replica = Replica.of(primary.database().resolveSibling("copy.db"), upstream)
                    .durable(true)
                    .listener(new Telling())
                    .open();
            return () -> {
                replica.close();
                upstream.close();
            };
        });
    }

    private static final class Telling implements Replica.Listener {

        @Override
        public void applied(Position position) {
            System.out.println("shows " + position.frameNo());
        }

        @Override
        public void stateChanged(State state, @Nullable String problem) {
            if (problem != null) {
                System.out.println("failed: " + problem);
            }
        }
    }
}
