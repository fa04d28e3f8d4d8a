package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class FormatsTest {

    @Test
    void sizesHaveThreeDigitsAndTheUnitThatFits() {
        assertThat(Formats.bytes(0)).isEqualTo("0 B");
        assertThat(Formats.bytes(999)).isEqualTo("999 B");
        assertThat(Formats.bytes(4120)).isEqualTo("4.12 kB");
        assertThat(Formats.bytes(9_996)).isEqualTo("10.0 kB");
        assertThat(Formats.bytes(999_500)).isEqualTo("1.00 MB");
        assertThat(Formats.bytes(64 << 20)).isEqualTo("67.1 MB");
        assertThat(Formats.bytes(Long.MAX_VALUE)).isEqualTo("9,223,372 TB");
    }

    @Test
    void durationsGrowCoarser() {
        assertThat(Formats.duration(3)).isEqualTo("3 ms");
        assertThat(Formats.duration(1_234)).isEqualTo("1.2 s");
        assertThat(Formats.duration(125_000)).isEqualTo("2 min 5 s");
        assertThat(Formats.duration(12_000_000)).isEqualTo("3 h 20 min");
    }

    @Test
    void countsAreGroupedAndAgreeWithTheirNoun() {
        assertThat(Formats.count(1, "frame")).isEqualTo("1 frame");
        assertThat(Formats.count(12_000, "frame")).isEqualTo("12,000 frames");
    }

    @Test
    void jsonIsOneLineWithFieldsInTheirOrder() {
        Json json = new Json()
                .put("text", "a \"b\"\n")
                .put("number", 1L)
                .put("none", null)
                .putHex("sum", -1)
                .put("list", List.of(new Json().put("x", true), Arrays.asList(1.5)));
        assertThat(json.toString())
                .isEqualTo("{\"text\":\"a \\\"b\\\"\\n\",\"number\":1,\"none\":null,"
                        + "\"sum\":\"ffffffffffffffff\",\"list\":[{\"x\":true},[1.5]]}");
    }
}
