package dev.lockstep.testing;

import dev.lockstep.Primary;
import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLog;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A primary as a process of its own, to be killed: {@code PrimaryProcess DATABASE SEGMENT_BYTES [SEED PAUSE]}. With a seed it writes to
 * the database itself, too, and pauses for so many microseconds between transactions. It promises on its output what it knows to be
 * durable, and runs until its input ends.
 */
public final class PrimaryProcess {

    /** A transaction that was durable in the log, so that no crash may lose or change it. */
    public record Promise(UUID logId, long frameNo, String checksum, String seal) {

        static Promise of(UUID logId, CommitRecord commit) {
            return new Promise(
                    logId,
                    commit.frameNo(),
                    Long.toHexString(commit.checksum()),
                    commit.seal().toString());
        }

        /** Fails unless the log holds it. */
        public void assertKept(FrameLog log) throws IOException {
            CommitRecord found = log.commitAt(frameNo);
            if (found == null || !equals(of(log.start().logId(), found))) {
                throw new AssertionError("was durable: " + this + ", but the log, whose head is " + log.head()
                        + ", has there: " + found);
            }
        }
    }

    private PrimaryProcess() {}

    /** A log that keeps everything, in segments of this size. */
    public static FrameLog.Options log(long segmentBytes) {
        return new FrameLog.Options(segmentBytes, Long.MAX_VALUE, Duration.ofDays(10_000));
    }

    /** The promises on the output of such a process; one that it died in the middle of was not made. */
    public static List<Promise> promises(String output) {
        List<Promise> promises = new ArrayList<>();
        int end = output.lastIndexOf('\n');
        for (String line : output.substring(0, Math.max(0, end)).split("\n")) {
            String[] words = line.split(" ");
            if (words[0].equals("durable")) {
                promises.add(new Promise(UUID.fromString(words[1]), Long.parseLong(words[2]), words[3], words[4]));
            }
        }
        return promises;
    }

    /** What else the process does with the primary; closed before it. */
    public interface Use {
        AutoCloseable start(Primary primary) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        run(arguments, primary -> () -> {});
    }

    /** The whole process. */
    public static void run(String[] arguments, Use use) throws Exception {
        Path database = Path.of(arguments[0]);
        Primary primary =
                Primary.of(database).log(log(Long.parseLong(arguments[1]))).open();
        if (arguments.length > 2) {
            background("writer", () -> write(database, Long.parseLong(arguments[2]), Long.parseLong(arguments[3])));
        }
        background("promises", () -> promise(primary.log()));
        AutoCloseable used = use.start(primary);
        while (System.in.read() >= 0) {
            // until its end
        }
        used.close();
        primary.close();
        System.exit(primary.status().failure() == null ? 0 : 1);
    }

    private interface Body {
        void run() throws Exception;
    }

    private static void background(String name, Body body) {
        Thread thread = new Thread(
                () -> {
                    try {
                        body.run();
                    } catch (Exception e) {
                        e.printStackTrace();
                        System.exit(2);
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void write(Path database, long seed, long pauseMicros) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database + "?busy_timeout=60000")) {
            Workload workload = new Workload(connection, seed);
            while (true) {
                workload.any();
                LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(pauseMicros));
            }
        }
    }

    private static void promise(FrameLog log) throws Exception {
        UUID logId = log.start().logId();
        for (long promised = -2; ; promised = Math.max(promised, log.durable().frameNo())) {
            if (log.await(promised, true, TimeUnit.SECONDS.toNanos(1))) {
                CommitRecord durable = log.durable();
                Promise promise = Promise.of(logId, durable);
                System.out.println(
                        "durable " + logId + " " + promise.frameNo + " " + promise.checksum + " " + promise.seal);
                promised = durable.frameNo();
            }
        }
    }
}
