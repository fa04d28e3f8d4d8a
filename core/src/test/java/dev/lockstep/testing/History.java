package dev.lockstep.testing;

import dev.lockstep.log.CommitRecord;
import dev.lockstep.log.FrameLayout;
import dev.lockstep.log.LogStart;
import dev.lockstep.log.Seal;
import dev.lockstep.log.WalMark;
import dev.lockstep.verify.VerifiedTransaction;
import dev.lockstep.verify.Verifier;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** What a primary has sent, to be fetched again from any commit on; can be handed to another process. Not thread-safe. */
public final class History {

    private record Transaction(ByteBuffer frames, CommitRecord commit) {}

    private final LogStart start;
    private final List<Transaction> transactions = new ArrayList<>();

    public History(LogStart start) {
        this.start = start;
    }

    public LogStart start() {
        return start;
    }

    /** The newest commit. */
    public CommitRecord head() {
        return transactions.isEmpty()
                ? CommitRecord.before(start)
                : transactions.get(transactions.size() - 1).commit();
    }

    public int size() {
        return transactions.size();
    }

    /** The commit of transaction {@code n}, from 0. */
    public CommitRecord commit(int n) {
        return transactions.get(n).commit();
    }

    public void add(TestPrimary.Delivery delivery) {
        ByteBuffer frames = delivery.frames().duplicate();
        for (CommitRecord commit : delivery.commits()) {
            long count = commit.frameNo() - head().frameNo();
            byte[] bytes = new byte[(int) count * FrameLayout.frameSize(start.pageSize())];
            frames.get(bytes);
            transactions.add(new Transaction(ByteBuffer.wrap(bytes), commit));
        }
    }

    /** Frees the memory of what nobody will fetch again; the newest transaction stays. */
    public void forgetBefore(CommitRecord position) {
        transactions
                .subList(0, Math.max(0, Math.min(firstAfter(position.frameNo()), transactions.size() - 1)))
                .clear();
    }

    /**
     * At most {@code atMost} transactions after {@code position}, verified.
     *
     * @param seen what the history has to pass through first, see {@link Verifier#passThrough}
     */
    public List<VerifiedTransaction> after(CommitRecord position, List<CommitRecord> seen, int atMost)
            throws IOException {
        Path spool = Path.of(System.getProperty("java.io.tmpdir"));
        List<VerifiedTransaction> verified = new ArrayList<>();
        try (Verifier verifier = new Verifier(start.pageSize(), position, spool, "the test's history")) {
            verifier.passThrough(seen);
            for (int n = firstAfter(position.frameNo()); n < transactions.size() && verified.size() < atMost; n++) {
                Transaction transaction = transactions.get(n);
                ByteBuffer frames = transaction.frames().asReadOnlyBuffer(); // as they come from the network
                verifier.accept(frames, List.of(transaction.commit()), verified);
            }
        }
        return verified;
    }

    private int firstAfter(long frameNo) {
        int n = 0;
        while (n < transactions.size() && transactions.get(n).commit().frameNo() <= frameNo) {
            n++;
        }
        return n;
    }

    public void save(Path file) throws IOException {
        try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            out.writeLong(start.logId().getMostSignificantBits());
            out.writeLong(start.logId().getLeastSignificantBits());
            out.writeInt(start.pageSize());
            out.writeLong(start.startFrameNo());
            out.writeLong(start.startChecksum());
            out.writeLong(start.startState());
            out.writeInt(start.startPages());
            out.writeInt(transactions.size());
            for (Transaction transaction : transactions) {
                CommitRecord commit = transaction.commit();
                out.writeLong(commit.frameNo());
                out.writeLong(commit.checksum());
                out.writeInt(commit.sizeAfter());
                out.writeLong(commit.timeMillis());
                out.writeLong(commit.stateChecksum());
                out.write(commit.seal().toBytes());
                out.writeInt(transaction.frames().capacity());
                out.write(transaction.frames().array());
            }
        }
    }

    public static History load(Path file) throws IOException {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            UUID logId = new UUID(in.readLong(), in.readLong());
            History history = new History(
                    new LogStart(logId, in.readInt(), in.readLong(), in.readLong(), in.readLong(), in.readInt()));
            for (int left = in.readInt(); left > 0; left--) {
                long frameNo = in.readLong();
                long checksum = in.readLong();
                int sizeAfter = in.readInt();
                long time = in.readLong();
                long state = in.readLong();
                Seal seal = Seal.of(in.readNBytes(Seal.LENGTH));
                ByteBuffer frames = ByteBuffer.wrap(in.readNBytes(in.readInt()));
                history.transactions.add(new Transaction(
                        frames, new CommitRecord(frameNo, checksum, sizeAfter, time, state, WalMark.NONE, seal)));
            }
            return history;
        }
    }
}
