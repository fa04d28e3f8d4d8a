package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

class SizeConverterTest {

    @Test
    void readsSizesAsTheyAreShown() {
        assertThat(size("4096B")).isEqualTo(4096);
        assertThat(size("200kB")).isEqualTo(200_000);
        assertThat(size("1.5 GB")).isEqualTo(1_500_000_000);
        assertThat(size("2T")).isEqualTo(2_000_000_000_000L);
        assertThat(size("500mb")).isEqualTo(500_000_000);
        assertThat(size(Formats.bytes(812))).isEqualTo(812);
        assertThat(size(Formats.bytes(64_000_000))).isEqualTo(64_000_000);
    }

    @Test
    void refusesWhatIsNone() {
        for (String text :
                new String[] {"", "5", "4096", "-1GB", "GB", "1GiB", "1PB", "1,5GB", "1e9", "999999999999999TB"}) {
            assertThatThrownBy(() -> size(text)).as(text).isInstanceOf(TypeConversionException.class);
        }
        assertThat(Cli.run("primary", "--retain", "5", "absent.db").err()).contains("'--retain'", "'5'", "with a unit");
    }

    private static long size(String text) {
        return new SizeConverter().convert(text);
    }
}
