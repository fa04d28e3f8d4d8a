package dev.lockstep.jdbc;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The options of URLs and properties, as docs/jdbc.md lists them. */
enum Option {
    PRIMARY("primary", "", "URL of the primary; makes a path a replica", Settings.Mode.REPLICA),
    LISTEN(
            "listen",
            "",
            "HOST:PORT where this primary serves its replicas; not at all when empty",
            Settings.Mode.PRIMARY),
    AUTH_JWT_KEY_FILE(
            "authJwtKeyFile",
            "",
            "file of public keys (PEM); who connects at listen then needs a token signed with one of them",
            Settings.Mode.PRIMARY),
    NAME(
            "name",
            "",
            "primary: what replicas call the database, by default the file's name without extension; replica: what the primary's"
                    + " status calls it",
            Settings.Mode.PRIMARY,
            Settings.Mode.REPLICA),
    LINGER(
            "linger",
            "1s",
            "how long a primary or replica stays open after its last connection was closed",
            Settings.Mode.PRIMARY,
            Settings.Mode.REPLICA),
    TIMEOUT(
            "timeout",
            "30s",
            "longest wait for a first copy, for the primary's answer, and for an own write to become readable here",
            Settings.Mode.PRIMARY,
            Settings.Mode.REPLICA,
            Settings.Mode.REMOTE),
    ACK(
            "ack",
            "none",
            "what a commit waits for: none, durable (in the log on disk), or replicas(N), on disk here and applied by N replicas",
            Settings.Mode.PRIMARY),
    ACK_TIMEOUT("ackTimeout", "10s", "longest wait for that", Settings.Mode.PRIMARY),
    MAX_LAG(
            "maxLag",
            "",
            "how far behind the primary a read may be, at least 2s; any when empty",
            Settings.Mode.REPLICA),
    WHEN_STALE(
            "whenStale",
            "wait",
            "what a read does on a replica that is further behind: wait (until timeout), refuse, or primary (read there)",
            Settings.Mode.REPLICA),
    WHEN_UNREACHABLE(
            "whenUnreachable",
            "fail",
            "what a statement does whose server cannot be reached: fail at once, or wait (until timeout)",
            Settings.Mode.REPLICA,
            Settings.Mode.REMOTE),
    AUTH_TOKEN("authToken", "", "sent to the server as a bearer token", Settings.Mode.REPLICA, Settings.Mode.REMOTE);

    private final String key;
    private final String standard;
    private final String description;
    private final String fitting;

    Option(String key, String standard, String description, Settings.Mode... modes) {
        this.key = key;
        this.standard = standard;
        this.description = description;
        this.fitting = Arrays.stream(modes).map(Option::name).collect(Collectors.joining(", "));
    }

    String key() {
        return key;
    }

    /** The value that stands when none is given. */
    String standard() {
        return standard;
    }

    String description() {
        return description;
    }

    boolean fits(Settings.Mode mode) {
        return List.of(fitting.split(", ")).contains(name(mode));
    }

    private static String name(Settings.Mode mode) {
        return mode.name().toLowerCase(Locale.ROOT);
    }

    /** The kinds of connection it is for, as messages name them. */
    String fitting() {
        return fitting;
    }
}
