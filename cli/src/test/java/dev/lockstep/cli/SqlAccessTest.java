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
        assertThat(SqlAccess.of(null, LOOPBACK, false)).isEqualTo(new SqlAccess(true, null));
        assertThat(SqlAccess.of(null, ALL, false).allowed()).isFalse();
        assertThat(SqlAccess.of(null, ALL, false).warning()).contains("--sql");
        assertThat(SqlAccess.of(true, ALL, false).allowed()).isTrue();
        assertThat(SqlAccess.of(true, ALL, false).warning()).contains("--auth-jwt-key-file");
        assertThat(SqlAccess.of(null, ALL, true)).isEqualTo(new SqlAccess(true, null));
        assertThat(SqlAccess.of(false, LOOPBACK, false)).isEqualTo(new SqlAccess(false, null));
        assertThat(SqlAccess.of(false, ALL, false)).isEqualTo(new SqlAccess(false, null));
    }
}
