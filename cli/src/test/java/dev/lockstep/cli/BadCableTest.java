package dev.lockstep.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BadCableTest {

    private ServerSocket primary;
    private BadCable cable;
    private Socket replica;
    private Socket atPrimary;

    @BeforeEach
    void connect() throws IOException {
        primary = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        cable = new BadCable(primary.getLocalPort(), "fragile");
        replica = new Socket(InetAddress.getLoopbackAddress(), cable.port());
        atPrimary = primary.accept();
    }

    @AfterEach
    void disconnect() throws IOException {
        cable.close();
        primary.close();
    }

    @Test
    void passesEverythingUnchangedBothWays() throws IOException {
        assertThat(passed(atPrimary, replica, "a fragile thing")).isEqualTo("a fragile thing");
        assertThat(passed(replica, atPrimary, "a fragile answer")).isEqualTo("a fragile answer");
        assertThat(cable.flipped()).isZero();
    }

    @Test
    void flipsOneBitOfTheMarkedTextOnceWhenArmed() throws IOException {
        cable.arm(true);
        assertThat(passed(replica, atPrimary, "fragile")).as("to the primary").isEqualTo("fragile");
        assertThat(passed(atPrimary, replica, "ffragile fragile")).isEqualTo("ffragild fragile");
        assertThat(cable.flipped()).isEqualTo(1);
    }

    @Test
    void findsTheMarkedTextInTwoPieces() throws IOException {
        cable.arm(true);
        assertThat(passed(atPrimary, replica, "so frag")).isEqualTo("so frag");
        assertThat(passed(atPrimary, replica, "ile")).isEqualTo("ild");
    }

    @Test
    void passesOnThatOneSideHasGone() throws IOException {
        atPrimary.close();
        assertThat(replica.getInputStream().read()).isEqualTo(-1);
    }

    private static String passed(Socket from, Socket to, String text) throws IOException {
        from.getOutputStream().write(text.getBytes(US_ASCII));
        return new String(to.getInputStream().readNBytes(text.length()), US_ASCII);
    }
}
