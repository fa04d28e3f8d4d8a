package dev.lockstep.cli;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Local times: 2026-11-23T17:00, also with a space as {@link Formats#time} shows them, or a day, which stands for its beginning. */
final class TimeConverter implements ITypeConverter<LocalDateTime> {

    @Override
    public LocalDateTime convert(String text) {
        try {
            return text.indexOf(':') < 0
                    ? LocalDate.parse(text).atStartOfDay()
                    : LocalDateTime.parse(text.replace(' ', 'T'));
        } catch (DateTimeException e) {
            throw new TypeConversionException(
                    "'" + text + "' is no local time; write it as 2026-11-23T17:00 or 2026-11-23");
        }
    }
}
