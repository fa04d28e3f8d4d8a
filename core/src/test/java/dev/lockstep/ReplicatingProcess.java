package dev.lockstep;

import dev.lockstep.Replica.State;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A primary and a durable replica of it as one process of their own: {@code ReplicatingProcess DATABASE COPY}. It prints what happens to
 * the replica, {@code shows FRAME} or {@code failed: WHY}, and runs until its input ends.
 */
final class ReplicatingProcess {

    private ReplicatingProcess() {}

    public static void main(String[] arguments) throws Exception {
        try (Primary primary = Primary.of(Path.of(arguments[0])).open();
                LocalUpstream upstream = new LocalUpstream(primary);
                Replica replica = Replica.of(Path.of(arguments[1]), upstream)
                        .durable(true)
                        .listener(new Telling())
                        .open()) {
            while (System.in.read() >= 0) {
                // until its end
            }
        }
        System.exit(0);
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
