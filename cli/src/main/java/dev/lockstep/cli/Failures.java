package dev.lockstep.cli;

import dev.lockstep.LockstepException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into one line for the person and an {@link ExitCode} for the script. */
final class Failures {

    private Failures() {}

    /** Of a command that ran. */
    static int report(Exception thrown, CommandLine command, boolean verbose) {
        Throwable failure = unwrap(thrown);
        PrintWriter err = command.getErr();
        err.println("lockstep: " + message(failure, verbose));
        if (verbose) {
            thrown.printStackTrace(err);
        }
        err.flush();
        return ExitCode.of(failure).code();
    }

    /** Of a command line that could not be understood. */
    static int reportUsage(ParameterException thrown) {
        CommandLine command = thrown.getCommandLine();
        PrintWriter err = command.getErr();
        if (isUnknownCommand(thrown)) {
            err.println("lockstep: unknown command '"
                    + ((UnmatchedArgumentException) thrown).getUnmatched().get(0) + "'");
        } else if (thrown instanceof UnmatchedArgumentException unmatched
                && unmatched.getUnmatched().contains("")) {
            err.println(
                    "lockstep: an argument is empty"); // picocli has no better word for one that it could not convert
        } else {
            err.println("lockstep: " + firstLower(String.valueOf(thrown.getMessage())));
        }
        if (thrown instanceof MissingCommandException) {
            command.usage(err);
        } else if (!UnmatchedArgumentException.printSuggestions(thrown, err)) {
            err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        }
        err.flush();
        return ExitCode.USAGE.code();
    }

    private static boolean isUnknownCommand(ParameterException thrown) {
        return thrown instanceof UnmatchedArgumentException unmatched
                && !unmatched.isUnknownOption()
                && thrown.getCommandLine().getParent() == null;
    }

    /** The root command alone; its usage is the answer. */
    static final class MissingCommandException extends ParameterException {

        private static final long serialVersionUID = 1L;

        MissingCommandException(CommandLine command) {
            super(command, "Missing command");
        }
    }

    private static Throwable unwrap(Throwable thrown) {
        Throwable failure = thrown;
        while ((failure instanceof UncheckedIOException
                        || failure instanceof ExecutionException
                        || failure instanceof CompletionException)
                && failure.getCause() != null) {
            failure = failure.getCause();
        }
        return failure;
    }

    static String message(Throwable failure, boolean verbose) {
        String text = failure.getMessage();
        if (failure instanceof LockstepException && text != null) {
            return text;
        }
        if (failure instanceof FileSystemException file) {
            return file.getFile() + ": " + (file.getReason() == null ? meaning(file) : file.getReason());
        }
        if (failure instanceof FileNotFoundException && text != null) {
            return text; // "path (reason)"
        }
        if (failure instanceof IOException && text != null && !text.isBlank()) {
            return text;
        }
        return "internal error: " + failure + (verbose ? "" : " (-v shows where)");
    }

    private static String meaning(FileSystemException failure) {
        if (failure instanceof NoSuchFileException) {
            return "no such file or directory";
        }
        if (failure instanceof AccessDeniedException) {
            return "permission denied";
        }
        return failure instanceof NotDirectoryException
                ? "not a directory"
                : failure.getClass().getSimpleName();
    }

    /** Picocli begins its messages with a capital; after "lockstep: " a small letter reads better. Names stay as they are. */
    private static String firstLower(String text) {
        boolean word = text.length() > 1 && Character.isLowerCase(text.charAt(1));
        return word ? Character.toLowerCase(text.charAt(0)) + text.substring(1) : text;
    }
}
