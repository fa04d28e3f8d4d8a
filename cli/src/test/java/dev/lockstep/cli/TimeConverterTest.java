package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.LocalDateTime;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

class TimeConverterTest {

    @Test
    void readsTimesAsTheyAreShownAndDays() {
        assertThat(time("2026-11-23T17:00")).isEqualTo("2026-11-23T17:00:00");
        assertThat(time("2026-11-23 17:00:01.250")).isEqualTo("2026-11-23T17:00:01.250");
        assertThat(time("2026-11-23")).isEqualTo("2026-11-23T00:00:00");
    }

    @Test
    void refusesWhatIsNone() {
        for (String text : new String[] {"", "17:00", "2026-13-23", "yesterday"}) {
            assertThatThrownBy(() -> time(text))
                    .as(text)
                    .isInstanceOf(TypeConversionException.class)
                    .hasMessage("'" + text + "' is no local time; write it as 2026-11-23T17:00 or 2026-11-23");
        }
    }

    private static LocalDateTime time(String text) {
        return new TimeConverter().convert(text);
    }
}
