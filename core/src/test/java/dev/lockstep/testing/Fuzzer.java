package dev.lockstep.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.List;
import java.util.Random;

/** Makes inputs that were good once and are damaged at random. {@code -Dlockstep.seed} repeats what a failure names. Not thread-safe. */
public final class Fuzzer {

    /** Decodes, or refuses by an exception. */
    public interface Decoder {
        void decode(byte[] bytes) throws Exception;
    }

    /** A test with a fuzzer of its own. */
    public interface Test {
        void run(Fuzzer fuzzer) throws Exception;
    }

    private final long seed;
    private final Random random;

    private Fuzzer(long seed) {
        this.seed = seed;
        this.random = new Random(seed);
        System.out.println(this);
    }

    /** Runs a test once. */
    public static void once(Test test) throws Exception {
        test.run(new Fuzzer(Long.getLong("lockstep.seed", System.nanoTime())));
    }

    /** Runs a test again and again, for a third of the time of a long test: there are three of them. */
    public static void forLong(Test test) throws Exception {
        long end = System.nanoTime() + Long.getLong("lockstep.soakMinutes", 10) * 60_000_000_000L / 3;
        while (System.nanoTime() < end) {
            once(test);
        }
    }

    public Random random() {
        return random;
    }

    public <T> T pick(List<T> choice) {
        return choice.get(random.nextInt(choice.size()));
    }

    /** One of them with bits flipped, bytes replaced, a part dropped, repeated, or taken from another, or digits made many. */
    public byte[] damage(List<byte[]> good) {
        byte[] bytes = pick(good).clone();
        for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--) {
            int at = random.nextInt(bytes.length);
            int length = random.nextInt(Math.min(30, bytes.length - at) + 1);
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt(256);
                case 2 -> bytes = join(bytes, 0, at, bytes, at + length, bytes.length);
                case 3 -> bytes = join(bytes, 0, at + length, bytes, at, bytes.length);
                case 4 -> {
                    byte[] other = pick(good);
                    bytes = join(bytes, 0, at, other, random.nextInt(other.length), other.length);
                }
                default ->
                    bytes = new String(bytes, ISO_8859_1)
                            .replaceFirst("[0-9]", "9".repeat(random.nextInt(40)))
                            .getBytes(ISO_8859_1);
            }
        }
        return bytes;
    }

    private static byte[] join(byte[] left, int from, int to, byte[] right, int begin, int end) {
        byte[] joined = new byte[to - from + end - begin];
        System.arraycopy(left, from, joined, 0, to - from);
        System.arraycopy(right, begin, joined, to - from, end - begin);
        return joined;
    }

    /**
     * Requires of decoders that they take damaged inputs, or refuse them, and do nothing else.
     *
     * @param refusal what they refuse with, with a message
     */
    public void decode(int rounds, List<byte[]> good, Class<? extends Exception> refusal, Decoder... decoders) {
        int refused = 0;
        for (int i = 0; i < rounds; i++) {
            byte[] bytes = damage(good);
            for (Decoder decoder : decoders) {
                try {
                    decoder.decode(bytes);
                } catch (Exception | StackOverflowError | AssertionError e) {
                    if (!refusal.isInstance(e) || e.getMessage() == null) {
                        throw new AssertionError(this + ", input " + new String(bytes, ISO_8859_1), e);
                    }
                    refused++;
                }
            }
        }
        if (refused == 0 || refused == rounds * decoders.length) {
            throw new AssertionError(this + ": of " + rounds + " damaged inputs were refused: " + refused);
        }
    }

    @Override
    public String toString() {
        return "fuzzer with -Dlockstep.seed=" + seed;
    }
}
