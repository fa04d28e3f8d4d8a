package dev.lockstep.bench;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import dev.lockstep.Primary;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/** What many databases in one process cost while nobody writes to them, and how soon a commit to one of them is captured then. */
final class IdleBench {

    private static final int DATABASES = 1000;
    private static final int COMMITS = 50;
    private static final int SECONDS = 10;

    private IdleBench() {}

    static void run(Table table) throws Exception {
        Path directory = Workplace.fresh();
        Deque<Primary> primaries = new ArrayDeque<>();
        Usage before = Usage.now();
        long begin = System.nanoTime();
        try {
            for (int i = 0; i < DATABASES; i++) {
                Path database = directory.resolve("app" + i + ".db");
                execute(
                        database,
                        "PRAGMA journal_mode=WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v); PRAGMA user_version=1");
                primaries.add(Primary.of(database).open());
            }
            double opened = (System.nanoTime() - begin) / 1e9;
            Thread.sleep(10_000); // until they rest
            Usage open = Usage.now();
            Thread.sleep(SECONDS * 1000L);
            Usage later = Usage.now();
            String name = DATABASES + " idle databases: ";
            table.row(name + "opened in", "%.1f s", opened, "");
            table.row(name + "threads", "%.0f", (double) open.threads - before.threads, "");
            table.row(name + "memory", "%.0f MB", (open.bytes - before.bytes) / 1e6, "");
            table.row(name + "descriptors", "%.0f", (double) open.descriptors - before.descriptors, "");
            table.row(name + "processor", "%.1f %%", 100.0 * (later.cpuNanos - open.cpuNanos) / 1e9 / SECONDS, "");
            table.row(name + "commit to captured, p50", "%.0f us", captured(directory, primaries), "");
        } finally {
            while (!primaries.isEmpty()) {
                primaries.remove().close();
            }
        }
    }

    /** Median, in microseconds. */
    private static double captured(Path directory, Deque<Primary> primaries) throws Exception {
        long[] nanos = new long[COMMITS];
        for (int i = 0; i < COMMITS; i++) {
            Primary primary = primaries.remove();
            primaries.add(primary);
            long head = primary.position().frameNo();
            try (Connection connection =
                            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("app" + i + ".db"));
                    Statement statement = connection.createStatement()) {
                long begin = System.nanoTime();
                statement.executeUpdate("INSERT INTO t(v) VALUES (1)");
                primary.log().await(head, false, 10_000_000_000L);
                nanos[i] = System.nanoTime() - begin;
            }
        }
        Arrays.sort(nanos);
        return nanos[COMMITS / 2] / 1e3;
    }

    private static void execute(Path database, String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.executeUpdate(sql);
        }
    }

    private record Usage(int threads, long bytes, long descriptors, long cpuNanos) {

        static Usage now() throws IOException {
            System.gc();
            OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            long open = system instanceof UnixOperatingSystemMXBean unix ? unix.getOpenFileDescriptorCount() : 0;
            return new Usage(
                    ManagementFactory.getThreadMXBean().getThreadCount(), resident(), open, system.getProcessCpuTime());
        }

        private static long resident() throws IOException {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
            return 0;
        }
    }
}
