package dev.lockstep.pages;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.Programs;
import dev.lockstep.testing.ChildJvm;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the index costs, and what happens where there is no more of it. */
class PageIndexLimitsTest {

    /** Runs the rest of its arguments with a file system of 256 KiB at the first. */
    private static final String ON_SMALL_DISK =
            "mount -t tmpfs -o size=256k tmpfs \"$1\" || exit 77; shift; exec \"$@\"";

    private static final int NOT_PERMITTED = 77;

    @TempDir
    Path directory;

    @Test
    void aFullDiskIsAnOrdinaryErrorThatNamesTheFile() throws Exception {
        Programs.require("unshare", "mount");
        List<String> command = new ArrayList<>(
                List.of("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", ON_SMALL_DISK, "sh"));
        command.add(directory.toString());
        command.addAll(ChildJvm.command(ManyPages.class, Map.of(), index().toString(), "100000"));
        Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        boolean permitted = child.waitFor() != NOT_PERMITTED && !output.startsWith("unshare:");
        assumeTrue(permitted, "SKIPPED: this machine lets no user mount a file system of his own: " + output);
        assertThat(child.exitValue()).as(output).isZero();
        assertThat(output).contains("IOException: " + index() + ": expected room for");
    }

    @Test
    void theIndexOfASmallDatabaseIsSmall() throws Exception {
        try (PageIndex index = PageIndex.create(index(), new UUID(1, 2), 512)) {
            index.set(1, 0, 1);
            index.commit(0, 1);
            index.flush(0);
            index.force();
        }
        assertThat(Files.size(index())).isLessThanOrEqualTo(32 * 1024);
    }

    /** While no header vouches for its entries, nothing has to wait in memory. */
    @Test
    void aNewIndexOfMillionsOfPagesNeedsLittleMemory() throws Exception {
        try (ChildJvm child = new ChildJvm(ManyPages.class, Map.of(), index().toString(), "5000000")) {
            assertThat(child.exitCode()).as(child.tail()).isZero();
        }
    }

    private Path index() {
        return directory.resolve("pages.idx");
    }
}
