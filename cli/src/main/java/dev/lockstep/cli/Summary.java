package dev.lockstep.cli;

import dev.lockstep.Position;
import dev.lockstep.Replica;
import java.io.PrintWriter;
import java.nio.file.Path;

/** How a replica that was to catch up once has ended. */
record Summary(Path copy, Follower follower, Replica replica) {

    /** @return the exit code */
    int print(PrintWriter out, boolean reached, boolean json) {
        Replica.Status status = replica.status();
        Position position = status.position();
        if (json) {
            new Json()
                    .put("copy", copy)
                    .put("caughtUp", reached)
                    .put("logId", position == null ? null : position.logId())
                    .put("frame", position == null ? null : position.frameNo())
                    .put("checksum", position == null ? null : Formats.hex(position.checksum()))
                    .put("receivedBytes", status.receivedBytes())
                    .put("millis", follower.millis())
                    .print(out);
        } else {
            out.println(copy + (reached ? " is at " : " was stopped before it had caught up, at ")
                    + (position == null ? "nothing" : position) + "; received "
                    + Formats.bytes(status.receivedBytes()) + " in " + Formats.duration(follower.millis()));
            out.flush();
        }
        return (reached ? ExitCode.OK : ExitCode.FAILURE).code();
    }
}
