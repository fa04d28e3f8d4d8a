package dev.lockstep.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.TypeConversionException;

/** Numbers and paths of all commands alike: what no command has a use for is refused before any of them runs. */
final class Arguments {

    private Arguments() {}

    /** Counts and frame numbers. */
    static Long number(String text) {
        try {
            long number = Long.parseLong(text);
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // The message is the same.
        }
        throw new TypeConversionException("'" + text + "' is no whole number from 0 on");
    }

    /** An empty path would stand for the working directory, but comes from a script's variable that was not set. */
    static Path path(String text) {
        if (text.isEmpty()) {
            throw new TypeConversionException("it is empty; name a file or directory");
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("'" + text + "' is no path here: " + e.getReason());
        }
    }
}
