package dev.lockstep.server;

import dev.lockstep.Position;
import dev.lockstep.Replica;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;

/**
 * A replica as a process of its own, to be killed: {@code FollowingProcess URL COPY}. It prints {@code visible FRAME CHECKSUM} for what its
 * readers see, and runs until its input ends; it ends with code 3 if it stops for good.
 */
final class FollowingProcess {

    private FollowingProcess() {}

    public static void main(String[] arguments) throws Exception {
        try (RemotePrimary primary = RemotePrimary.of(arguments[0]);
                Replica replica = Replica.of(Path.of(arguments[1]), primary).open()) {
            Thread telling = new Thread(() -> tell(replica), "telling");
            telling.setDaemon(true);
            telling.start();
            while (System.in.read() >= 0) {
                // until its end
            }
        }
        System.exit(0);
    }

    private static void tell(Replica replica) {
        long told = -1;
        try {
            while (true) {
                if (replica.awaitFrame(told + 1, Duration.ofMillis(500))) {
                    Position position = Objects.requireNonNull(replica.status().position());
                    told = position.frameNo();
                    System.out.println("visible " + told + " " + Long.toHexString(position.checksum()));
                } else if (replica.refusal() != null) {
                    System.out.println("stopped: " + replica.refusal());
                    System.exit(3);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
