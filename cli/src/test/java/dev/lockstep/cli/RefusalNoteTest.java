package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RefusalNoteTest {

    @TempDir
    Path directory;

    @Test
    void isKeptUntilItIsRemoved() throws IOException {
        Path replica = directory.resolve("copy.db");
        assertThat(RefusalNote.read(replica)).isNull();
        RefusalNote note =
                new RefusalNote(1_700_000_000_000L, ExitCode.REFUSED, "frame 3: expected a, found b=c\nand ü");
        RefusalNote.write(replica, note);
        assertThat(RefusalNote.read(replica)).isEqualTo(note);
        RefusalNote.remove(replica);
        assertThat(RefusalNote.read(replica)).isNull();
    }
}
