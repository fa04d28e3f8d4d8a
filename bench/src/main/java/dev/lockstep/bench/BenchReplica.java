package dev.lockstep.bench;

import dev.lockstep.Replica;
import dev.lockstep.server.RemotePrimary;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** A replica in a process of its own. */
public final class BenchReplica {

    private BenchReplica() {}

    /** Arguments: URL, path of the copy. Says when the copy is there, then follows until it is killed. */
    public static void main(String[] args) throws IOException, InterruptedException {
        try (RemotePrimary remote = RemotePrimary.of(args[0]);
                Replica replica = Replica.of(Path.of(args[1]), remote).open()) {
            if (!replica.awaitFrame(0, Duration.ofMinutes(1))) {
                throw new IOException("no copy: " + replica.status());
            }
            System.out.println("ready");
            Thread.currentThread().join();
        }
    }
}
