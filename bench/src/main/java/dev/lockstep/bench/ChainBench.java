package dev.lockstep.bench;

import dev.lockstep.Progress;
import dev.lockstep.io.Storage;
import dev.lockstep.log.FrameLog;
import dev.lockstep.log.LogVerifier;
import dev.lockstep.log.PageChain;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;

/** The chain over 4096-byte pages: in memory against the byte table that libSQL uses, and over a log on disk. */
final class ChainBench {

    private static final int ROUNDS = 7;
    private static final int PAGE = 4096;
    private static final int PAGES = 16 * 1024;
    private static final long LOG_BYTES = 512_000_000;
    private static final int CORES = Runtime.getRuntime().availableProcessors();

    /** Where results go, so that no loop is empty to the compiler. */
    private static volatile long sink;

    private ChainBench() {}

    static void run(Table table) throws Exception {
        ByteBuffer pages = LogFrames.randomBytes(PAGES * PAGE);
        byte[] heap = new byte[pages.capacity()];
        pages.get(0, heap);
        double bytes = heap.length;
        double byteTable = rate(bytes, () -> sink = ByteTable.chain(heap));
        PageChain chain = PageChain.of(PAGE);
        table.row(
                "chain in memory, 1 core",
                "%.0f MB/s",
                byteTable,
                rate(bytes, () -> sink = chain(chain, pages)),
                ">= 3500");
        table.row(
                "chain in memory, all cores",
                "%.0f MB/s",
                byteTable,
                rate(bytes, () -> sink = contents(pages)),
                ">= 6500");

        Path directory = Workplace.fresh();
        double logBytes = write(directory);
        table.row(
                "verify a log, chain, 1 core",
                "%.0f MB/s",
                byteTable,
                verify(directory, logBytes, false, 1),
                ">= 3500");
        table.row(
                "verify a log, chain, all cores",
                "%.0f MB/s",
                byteTable,
                verify(directory, logBytes, false, CORES),
                ">= 6500");
        table.row("verify a log, chain and seals, 1 core", "%.0f MB/s", verify(directory, logBytes, true, 1), "");
        table.row(
                "verify a log, chain and seals, all cores", "%.0f MB/s", verify(directory, logBytes, true, CORES), "");
    }

    private static long chain(PageChain chain, ByteBuffer pages) {
        long checksum = 0;
        for (int i = 0; i < PAGES; i++) {
            checksum = chain.next(checksum, pages, i * PAGE);
        }
        return checksum;
    }

    /** Stretches of pages on all cores; what is left to do for one chain is a multiplication a page. */
    private static long contents(ByteBuffer pages) {
        PageChain chain = PageChain.of(PAGE);
        int stretch = 256;
        return IntStream.range(0, PAGES / stretch)
                .parallel()
                .mapToLong(first -> {
                    long checksum = 0;
                    for (int i = first * stretch; i < (first + 1) * stretch; i++) {
                        checksum = chain.next(checksum, pages, i * PAGE);
                    }
                    return checksum;
                })
                .reduce(0, (a, b) -> a ^ b);
    }

    private static double write(Path directory) throws IOException {
        LogFrames frames = new LogFrames(8 << 20, 100);
        long written = 0;
        try (FrameLog log =
                FrameLog.create(Storage.directory(directory), LogFrames.START, FrameLog.Options.defaults())) {
            while (written < LOG_BYTES) {
                frames.next();
                written += frames.bytes();
                frames.appendTo(log);
            }
        }
        return written;
    }

    private static double verify(Path directory, double bytes, boolean seals, int threads) throws Exception {
        return rate(bytes, () -> {
            LogVerifier.Result result = LogVerifier.verify(directory, seals, threads, Progress.NONE);
            if (!result.sound() || result.bytes() != bytes) {
                throw new IllegalStateException(result.toString());
            }
            return result;
        });
    }

    private static double rate(double bytes, Callable<?> work) throws Exception {
        Double[] rates = new Double[ROUNDS];
        work.call(); // warms up
        work.call();
        for (int i = 0; i < ROUNDS; i++) {
            long start = System.nanoTime();
            work.call();
            rates[i] = bytes * 1e3 / (System.nanoTime() - start);
        }
        return Workplace.median(rates, Double::doubleValue);
    }

    /** One look-up a byte, one page after the other: what libSQL's crc crate does. */
    private static final class ByteTable {

        private static final long[] TABLE = new long[256];

        static {
            for (int i = 0; i < 256; i++) {
                long register = i;
                for (int bit = 0; bit < 8; bit++) {
                    register = (register >>> 1) ^ (-(register & 1) & 0xD800000000000000L);
                }
                TABLE[i] = register;
            }
        }

        static long chain(byte[] pages) {
            long checksum = 0;
            for (int at = 0; at < pages.length; at += PAGE) {
                long register = Long.reverse(checksum);
                for (int i = at; i < at + PAGE; i++) {
                    register = TABLE[((int) register ^ pages[i]) & 0xff] ^ (register >>> 8);
                }
                checksum = ~register;
            }
            return checksum;
        }
    }
}
