package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.CorruptException;
import dev.lockstep.DivergedException;
import dev.lockstep.NeedsSnapshotException;
import dev.lockstep.NotAReplicaException;
import dev.lockstep.RefusedException;
import dev.lockstep.UnavailableException;
import dev.lockstep.UnsupportedException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class ExitCodeTest {

    @Test
    void eachKindOfFailureHasItsCode() {
        assertThat(ExitCode.of(new IOException()).code()).isEqualTo(1);
        assertThat(ExitCode.of(new UnsupportedException("")).code()).isEqualTo(1);
        assertThat(ExitCode.of(new CorruptException("")).code()).isEqualTo(3);
        assertThat(ExitCode.of(new RefusedException(RefusedException.Kind.GAP, 7, "6", "7", "wire"))
                        .code())
                .isEqualTo(3);
        assertThat(ExitCode.of(new DivergedException("")).code()).isEqualTo(4);
        assertThat(ExitCode.of(new NotAReplicaException("")).code()).isEqualTo(5);
        assertThat(ExitCode.of(new UnavailableException("")).code()).isEqualTo(6);
        assertThat(ExitCode.of(new NeedsSnapshotException("")).code()).isEqualTo(7);
    }

    @Test
    void messagesSayWhatAPersonCanUnderstand() {
        assertThat(message(new NoSuchFileException("/a/b"))).isEqualTo("/a/b: no such file or directory");
        assertThat(message(new AccessDeniedException("/a/b"))).isEqualTo("/a/b: permission denied");
        assertThat(message(new CorruptException("frame 3 is bad"))).isEqualTo("frame 3 is bad");
        assertThat(message(new IllegalStateException("oops")))
                .isEqualTo("internal error: java.lang.IllegalStateException: oops (-v shows where)");
    }

    private static String message(Exception failure) {
        return Failures.message(failure, false);
    }
}
