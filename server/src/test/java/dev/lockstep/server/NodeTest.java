package dev.lockstep.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class NodeTest {

    @Test
    void theClientsHaveTheVersionsThatPackageJsonNames() throws Exception {
        assertThat(Node.run("versions.mjs")).contains("@libsql/client 0.18.0", "libsql 0.5.29");
    }

    @Test
    void aScriptThatFailsFailsTheTestWithWhatItPrinted() {
        Node.require(); // here, since below the skipping would count as another failure than the one expected
        assertThatThrownBy(() -> Node.run("missing.mjs"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("Cannot find module");
    }
}
