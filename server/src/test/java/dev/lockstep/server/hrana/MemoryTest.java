package dev.lockstep.server.hrana;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lockstep.server.sql.SqlFailure;
import org.junit.jupiter.api.Test;

class MemoryTest {

    @Test
    void requestsTogetherHoldNoMoreThanThereIs() throws SqlFailure {
        Memory memory = new Memory(100);
        Memory.Lease first = memory.lease();
        Memory.Lease second = memory.lease();
        first.add(60);
        assertThatThrownBy(() -> second.add(50)).isInstanceOf(SqlFailure.class).hasMessageContaining("try again");
        first.close();
        second.add(50);
        assertThat(memory.held()).isEqualTo(50);
    }

    @Test
    void aRequestWhoseClientHasGoneHoldsNothingMore() throws SqlFailure {
        Memory memory = new Memory(100);
        Memory.Lease lease = memory.lease();
        lease.add(10);
        lease.close();
        assertThatThrownBy(() -> lease.add(10)).isInstanceOf(SqlFailure.class);
        lease.close();
        assertThat(memory.held()).isZero();
    }
}
