package dev.lockstep.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.stream.ToReplica.Refused;
import dev.lockstep.stream.ToReplica.Refused.Reason;
import io.grpc.Status;
import org.junit.jupiter.api.Test;

class ToReplicaCodecTest {

    private static final String EVIL = "evil\u001b[31m\nFAKE";
    private static final String TAMED = "evil\ufffd[31m\ufffdFAKE";

    @Test
    void textOfAPrimaryCannotForgeLinesOrColoursOfATerminal() {
        Refused refused = new Refused(Reason.UNAVAILABLE, EVIL, EVIL, EVIL);
        assertThat(ToReplicaCodec.decode(ToReplicaCodec.encode(refused, false)))
                .isEqualTo(new Refused(Reason.UNAVAILABLE, TAMED, TAMED, TAMED));
    }

    @Test
    void norCanTheStatusWithWhichACallEnds() {
        for (Status status : new Status[] {Status.NOT_FOUND, Status.UNAVAILABLE, Status.DATA_LOSS}) {
            assertThat(Failures.translate(status.withDescription(EVIL).asException(), "http://primary"))
                    .hasMessageContaining(TAMED);
        }
    }
}
