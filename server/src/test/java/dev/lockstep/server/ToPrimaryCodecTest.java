package dev.lockstep.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.server.v1.Proto.FollowRequest;
import dev.lockstep.stream.ToPrimary;
import dev.lockstep.stream.ToPrimary.Hello;
import dev.lockstep.stream.ToPrimary.Refusal;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ToPrimaryCodecTest {

    private static final String EVIL = "evil\u001b[31m\nFAKE\u0085\u2028\u202e";
    private static final String TAMED = "evil\ufffd[31m\ufffdFAKE\ufffd\ufffd\ufffd";

    @Test
    void textOfAReplicaCannotForgeLinesOrColoursOfATerminal() {
        Hello hello = new Hello(ToPrimary.PROTOCOL, new UUID(1, 1), EVIL, null, -1, 1);
        assertThat(decoded(hello)).isEqualTo(new Hello(ToPrimary.PROTOCOL, new UUID(1, 1), TAMED, null, -1, 1));
        assertThat(decoded(new Refusal(EVIL, 1, EVIL, EVIL, EVIL)))
                .isEqualTo(new Refusal(TAMED, 1, TAMED, TAMED, TAMED));
    }

    @Test
    void nameOfAReplicaIsCutWhereItIsTooLongToBeRead() {
        String face = "\ud83d\ude00";
        Hello hello = new Hello(ToPrimary.PROTOCOL, new UUID(1, 1), face.repeat(5000), null, -1, 1);
        assertThat(((Hello) decoded(hello)).replicaName()).isEqualTo(face.repeat(200));
    }

    @Test
    void replicaWithoutAPositionCannotHaveReachedAFrame() {
        Hello hello = new Hello(ToPrimary.PROTOCOL, new UUID(1, 1), "new", null, -1, 1);
        FollowRequest.Builder request = ToPrimaryCodec.encode(hello, "app", false).toBuilder();
        request.getHelloBuilder().setReached(Long.MAX_VALUE);
        assertThatThrownBy(() -> ToPrimaryCodec.decode(request.build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("frame " + Long.MAX_VALUE + " without a position");
    }

    private static ToPrimary decoded(ToPrimary message) {
        return ToPrimaryCodec.decode(ToPrimaryCodec.encode(message, "app", false));
    }
}
