package dev.lockstep.cli;

import dev.lockstep.LockstepException;
import dev.lockstep.Position;
import dev.lockstep.Primary;
import dev.lockstep.RefusedException;
import dev.lockstep.Replica;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.server.LockstepServer;
import dev.lockstep.server.RemotePrimary;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** The demo's plot: each step says what it does, does it, and checks what it claims. Used by one thread. */
final class Demo implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long POLL_MILLIS = 5;
    private static final int TRANSFERS = 500;

    /** What the page holds that the cable damages. Its beginning occurs nowhere else in it. */
    private static final String FRAGILE = "Handle this page with care";

    private final Path database;
    private final Path straight;
    private final Path exposed;
    private final PrintWriter out;
    private final Stop stop;

    /** What is to be closed at the end, the newest first. */
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    private boolean allTrue = true;

    Demo(Path directory, PrintWriter out, Stop stop) {
        this.database = directory.resolve("app.db");
        this.straight = directory.resolve("copy-a.db");
        this.exposed = directory.resolve("copy-b.db");
        this.out = out;
        this.stop = stop;
    }

    /**
     * Whether every claim was true.
     *
     * @throws CancellationException if it was stopped before it knew
     */
    boolean run() throws IOException, SQLException, InterruptedException {
        say("A bank of " + Bank.ACCOUNTS + " accounts opens in " + database + ".");
        Bank bank = opened(Bank.open(database));
        Primary primary = opened(Primary.of(database).open());
        LockstepServer server = opened(LockstepServer.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .database(primary)
                .start());
        BadCable cable = opened(new BadCable(server.port(), FRAGILE));
        say("A primary serves it at " + url(server.port()) + ".");

        step("Two replicas copy it: copy-a.db directly, copy-b.db over a cable that will turn out bad.");
        Replica a = replica(straight, server.port());
        Replica b = replica(exposed, cable.port());
        claimEqual("copy-a.db and copy-b.db", primary, a, b);

        step("The bank moves money, one transaction for each transfer.");
        transfer(bank);
        claimEqual("both copies", primary, a, b);

        step("On the cable to copy-b.db one bit of one page flips.");
        Bank.Reading before = Bank.read(exposed);
        cable.arm(true);
        bank.note(FRAGILE);
        transfer(bank);
        claimRefused(cable, server, b, before);
        claimEqual("copy-a.db", primary, a);

        step("The cable is replaced, and copy-b.db is started again.");
        b.close();
        Position resumed = b.status().position();
        Replica again = replica(exposed, server.port());
        claimEqual("copy-b.db", primary, again);
        claimResumed(primary, resumed, again);

        out.println();
        out.println(allTrue ? "All of that was checked and found true." : "NOT all of that was true; see FALSE above.");
        out.flush();
        return allTrue;
    }

    private <T extends AutoCloseable> T opened(T part) {
        open.push(part);
        return part;
    }

    private Replica replica(Path copy, int port) throws IOException {
        RemotePrimary upstream = opened(RemotePrimary.of(url(port)));
        return opened(
                Replica.of(copy, upstream).name(copy.getFileName().toString()).open());
    }

    private static String url(int port) {
        return "http://127.0.0.1:" + port + "/app";
    }

    private void transfer(Bank bank) throws SQLException {
        long began = System.nanoTime();
        bank.transfer(TRANSFERS);
        long millis = (System.nanoTime() - began) / 1_000_000;
        say(Formats.count(TRANSFERS) + " transfers in " + Formats.duration(millis) + ".");
    }

    /** Waits until the replicas have what the bank committed last, then looks whether they are its equals. */
    private void claimEqual(String who, Primary primary, Replica... replicas)
            throws IOException, SQLException, InterruptedException {
        Bank.Reading wanted = Bank.read(database);
        boolean equal = wanted.isWhole();
        for (Replica replica : replicas) {
            equal &= await(() -> replica.status().position() != null
                    && Bank.read(replica.database()).equals(wanted));
        }
        Position head = primary.position();
        byte[] pages = Bank.pages(database);
        for (Replica replica : replicas) {
            equal &= await(() -> head.equals(replica.status().position()));
            equal &= Arrays.equals(Bank.pages(replica.database()), pages);
        }
        claim(
                equal,
                who + " at the primary's frame " + head.frameNo() + " with its checksum " + Formats.hex(head.checksum())
                        + ", and every page the same (" + Formats.bytes(pages.length) + ")");
    }

    private interface Condition {
        boolean holds() throws SQLException;
    }

    private boolean await(Condition condition) throws SQLException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            stop.await(POLL_MILLIS);
            goOnUnlessStopped();
        }
        return true;
    }

    private void claimRefused(BadCable cable, LockstepServer server, Replica replica, Bank.Reading before)
            throws SQLException, InterruptedException {
        await(() -> replica.refusal() != null);
        LockstepException refusal = replica.refusal();
        claim(cable.flipped() == 1, "exactly one bit was flipped");
        claim(refusal instanceof RefusedException, "copy-b.db stopped at it and says why:");
        quote(refusal);
        claim(await(() -> isReported(server)), "the primary's status tells it too");
        Bank.Reading now = Bank.read(exposed);
        claim(
                now.isWhole() && now.transfers() >= before.transfers(),
                "copy-b.db still serves its last good state: " + Formats.count(now.transfers()) + " transfers, "
                        + Formats.count(now.total()) + " in all accounts, integrity check ok");
    }

    private void claimResumed(Primary primary, @Nullable Position from, Replica replica) {
        long after = from == null ? -1 : from.frameNo();
        long frames = primary.position().frameNo() - after;
        long frameBytes = FrameLayout.frameSize(primary.log().start().pageSize());
        claim(
                from != null && replica.status().receivedBytes() == frames * frameBytes,
                "it went on after frame " + after + ": the " + Formats.count(frames, "frame") + " since then ("
                        + Formats.bytes(replica.status().receivedBytes()) + ") were all that it fetched");
    }

    private static boolean isReported(LockstepServer server) {
        return server.status().databases().stream()
                .flatMap(database -> database.refusals().stream())
                .anyMatch(refusal -> refusal.replicaName().equals("copy-b.db"));
    }

    private void quote(@Nullable LockstepException refusal) {
        String text = refusal == null ? "(no refusal)" : String.valueOf(refusal.getMessage());
        for (String line : Formats.wrap(text, 90)) {
            out.println("           | " + line);
        }
    }

    private void goOnUnlessStopped() {
        if (stop.isRequested()) {
            throw new CancellationException();
        }
    }

    private void step(String text) {
        goOnUnlessStopped();
        out.println();
        say(text);
    }

    private void say(String text) {
        out.println(text);
        out.flush();
    }

    private void claim(boolean isTrue, String text) {
        allTrue &= isTrue;
        say((isTrue ? "    true:  " : "    FALSE: ") + text);
    }

    @Override
    public void close() throws IOException {
        for (AutoCloseable part : open) {
            try {
                part.close();
            } catch (IOException e) {
                throw e;
            } catch (Exception e) {
                throw new IOException(e);
            }
        }
    }
}
