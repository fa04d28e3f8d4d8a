package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

class SqlAccessTest {

    private static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.getLoopbackAddress(), 7878);
    private static final InetSocketAddress ALL = new InetSocketAddress(7878);

    @Test
    void sqlIsForThisMachineUnlessItIsAskedForBeyond() {
        assertThat(SqlAccess.of(null, LOOPBACK)).isEqualTo(new SqlAccess(true, null));
        assertThat(SqlAccess.of(null, ALL).allowed()).isFalse();
        assertThat(SqlAccess.of(null, ALL).warning()).contains("--sql");
        assertThat(SqlAccess.of(true, ALL).allowed()).isTrue();
        assertThat(SqlAccess.of(true, ALL).warning()).contains("no password");
        assertThat(SqlAccess.of(false, LOOPBACK)).isEqualTo(new SqlAccess(false, null));
        assertThat(SqlAccess.of(false, ALL)).isEqualTo(new SqlAccess(false, null));
    }
}
