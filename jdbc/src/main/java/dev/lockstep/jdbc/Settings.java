package dev.lockstep.jdbc;

import dev.lockstep.server.ListenAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;

/**
 * What a URL and its properties ask for; a property loses against the URL.
 *
 * <pre>
 * jdbc:lockstep:PATH[?OPTIONS]                a primary in this process
 * jdbc:lockstep:PATH?primary=URL[&amp;OPTIONS]    a replica in this process
 * jdbc:lockstep:URL[?OPTIONS]                 remote; URL begins with http://, https:// or libsql://, which means https
 * </pre>
 *
 * OPTIONS are {@code key=value}, joined by {@code &}, with {@code %XX} for special characters. Those that {@link Option} does not know
 * are sqlite-jdbc's and go to the connection. Immutable.
 */
final class Settings {

    static final String PREFIX = "jdbc:lockstep:";

    /** Where statements run. */
    enum Mode {
        PRIMARY,
        REPLICA,
        REMOTE
    }

    /** What a read does on a replica that lags more than it may. */
    enum WhenStale {
        WAIT,
        REFUSE,
        PRIMARY
    }

    private static final Set<String> SQLITE =
            Arrays.stream(SQLiteConfig.Pragma.values()).map(p -> p.pragmaName).collect(Collectors.toUnmodifiableSet());

    /** What sqlite-jdbc does with these, it does in this process; the others are for a database that is somewhere else. */
    private static final Set<String> SQLITE_ANYWHERE = Set.of(
            SQLiteConfig.Pragma.DATE_PRECISION.pragmaName,
            SQLiteConfig.Pragma.DATE_CLASS.pragmaName,
            SQLiteConfig.Pragma.DATE_STRING_FORMAT.pragmaName,
            SQLiteConfig.Pragma.TRANSACTION_MODE.pragmaName,
            SQLiteConfig.Pragma.BUSY_TIMEOUT.pragmaName,
            SQLiteConfig.Pragma.JDBC_GET_GENERATED_KEYS.pragmaName);

    /** They say how a primary or replica is opened, not what its connections do. */
    private static final Set<Option> OPENING =
            EnumSet.of(Option.LISTEN, Option.AUTH_JWT_KEY_FILE, Option.NAME, Option.LINGER);

    private static final Duration SHORTEST_LAG = Duration.ofSeconds(2);

    private final String url;
    private final String location;
    private final Mode mode;
    private final Map<Option, String> options = new EnumMap<>(Option.class);
    private final Properties sqlite = new Properties();

    private Settings(String url, String location, Mode mode) {
        this.url = url;
        this.location = location;
        this.mode = mode;
    }

    static boolean accepts(@Nullable String url) {
        return url != null && url.startsWith(PREFIX);
    }

    /** @throws SQLException that names what cannot be understood */
    static Settings parse(String url, Properties properties) throws SQLException {
        String rest = url.substring(PREFIX.length());
        int question = rest.indexOf('?');
        String location = question < 0 ? rest : rest.substring(0, question);
        Properties all = new Properties();
        properties.stringPropertyNames().forEach(key -> all.setProperty(key, properties.getProperty(key)));
        if (question >= 0) {
            addQuery(rest.substring(question + 1), url, all);
        }
        if (location.isEmpty()) {
            throw invalid(url, "it names neither a file nor a server");
        }
        return of(url, location, all);
    }

    /** Settings of connections to a primary or replica that is open already. */
    static Settings of(Path database, Properties options) throws SQLException {
        String url = PREFIX + database;
        for (Option option : OPENING) {
            if (options.containsKey(option.key())) {
                throw invalid(url, "option " + option.key() + " comes too late: the program has opened it already");
            }
        }
        return of(url, database.toString(), options);
    }

    private static Settings of(String url, String location, Properties all) throws SQLException {
        Settings settings = new Settings(url, location, mode(location, all));
        settings.take(all);
        settings.validate();
        return settings;
    }

    private static void addQuery(String query, String url, Properties into) throws SQLException {
        for (String pair : query.split("&")) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                throw invalid(url, "\"" + pair + "\" is not of the form option=value");
            }
            into.setProperty(
                    pair.substring(0, equals),
                    URLDecoder.decode(pair.substring(equals + 1).replace("+", "%2B"), StandardCharsets.UTF_8));
        }
    }

    private static Mode mode(String location, Properties all) {
        if (location.matches("(http|https|libsql)://.*")) {
            return Mode.REMOTE;
        }
        return all.getProperty(Option.PRIMARY.key(), "").isEmpty() ? Mode.PRIMARY : Mode.REPLICA;
    }

    private void take(Properties all) throws SQLException {
        for (String key : all.stringPropertyNames()) {
            String value = all.getProperty(key);
            Optional<Option> option = Arrays.stream(Option.values())
                    .filter(o -> o.key().equals(key))
                    .findFirst();
            if (option.isPresent()) {
                if (!option.get().fits(mode)) {
                    throw invalid(
                            url,
                            "option " + key + " is for connections of kind "
                                    + option.get().fitting() + ", and this one is "
                                    + mode.name().toLowerCase(Locale.ROOT));
                }
                options.put(option.get(), value);
            } else if (key.equals("password")) {
                if (mode == Mode.REMOTE) {
                    options.putIfAbsent(Option.AUTH_TOKEN, value);
                }
            } else if (SQLITE.contains(key) && (mode != Mode.REMOTE || SQLITE_ANYWHERE.contains(key))) {
                sqlite.setProperty(key, value);
            } else if (!key.equals("user")) {
                throw invalid(
                        url,
                        "option " + key
                                + (SQLITE.contains(key)
                                        ? " is for a database in this process; the server sets its own"
                                        : " is neither one of Lockstep's (docs/jdbc.md) nor of sqlite-jdbc's"));
            }
        }
    }

    private void validate() throws SQLException {
        duration(Option.LINGER);
        duration(Option.TIMEOUT);
        duration(Option.ACK_TIMEOUT);
        acknowledgement();
        listen();
        whenStale();
        waitsForServer();
        if (mode == Mode.REPLICA && sqlite.containsKey(SQLiteConfig.Pragma.OPEN_MODE.pragmaName)) {
            throw invalid(url, "option open_mode has no place on a replica, which is opened for reading");
        }
        Duration lag = maxLag();
        if (lag != null && lag.compareTo(SHORTEST_LAG) < 0) {
            throw invalid(
                    url,
                    "maxLag=" + text(Option.MAX_LAG) + " is below " + SHORTEST_LAG.toSeconds()
                            + "s, and a primary that has nothing to say is heard once in a second only");
        }
        if (mode != Mode.PRIMARY) {
            server();
        }
    }

    private static SQLException invalid(String url, String problem) {
        return new SQLNonTransientConnectionException(
                url.replaceAll("(authToken=)[^&]*", "$1...") + ": " + problem, "08001");
    }

    /** The URL that was given. */
    String url() {
        return url;
    }

    Mode mode() {
        return mode;
    }

    /** The database file of a primary or replica. */
    Path path() {
        return Path.of(location).toAbsolutePath();
    }

    /** The server that speaks Hrana: of a remote connection, or the primary of a replica. */
    URI server() throws SQLException {
        String text = mode == Mode.REMOTE ? location.replaceFirst("^libsql://", "https://") : text(Option.PRIMARY);
        try {
            URI server = URI.create(text);
            if (server.getHost() != null && ("http".equals(server.getScheme()) || "https".equals(server.getScheme()))) {
                return server;
            }
        } catch (IllegalArgumentException e) {
            throw invalid(url, text + " is no URL: " + e.getMessage());
        }
        throw invalid(url, "\"" + text + "\" is no address of a server; it has the form http://HOST:PORT[/NAME]");
    }

    String text(Option option) {
        return options.getOrDefault(option, option.standard());
    }

    Duration duration(Option option) throws SQLException {
        String text = text(option);
        if (!text.matches("[0-9]{1,9}(ms|s|m)")) {
            throw invalid(url, option.key() + "=" + text + " is no duration, such as 500ms, 10s or 2m");
        }
        long number = Long.parseLong(text.replaceAll("[a-z]", ""));
        return text.endsWith("ms")
                ? Duration.ofMillis(number)
                : text.endsWith("s") ? Duration.ofSeconds(number) : Duration.ofMinutes(number);
    }

    @Nullable
    Duration maxLag() throws SQLException {
        return text(Option.MAX_LAG).isEmpty() ? null : duration(Option.MAX_LAG);
    }

    WhenStale whenStale() throws SQLException {
        return switch (text(Option.WHEN_STALE)) {
            case "wait" -> WhenStale.WAIT;
            case "refuse" -> WhenStale.REFUSE;
            case "primary" -> WhenStale.PRIMARY;
            default -> throw invalid(url, "whenStale=" + text(Option.WHEN_STALE) + " is none of wait, refuse, primary");
        };
    }

    boolean waitsForServer() throws SQLException {
        return switch (text(Option.WHEN_UNREACHABLE)) {
            case "fail" -> false;
            case "wait" -> true;
            default ->
                throw invalid(url, "whenUnreachable=" + text(Option.WHEN_UNREACHABLE) + " is none of fail, wait");
        };
    }

    Acknowledgement acknowledgement() throws SQLException {
        try {
            return Acknowledgement.parse(text(Option.ACK));
        } catch (IllegalArgumentException e) {
            throw invalid(url, String.valueOf(e.getMessage()));
        }
    }

    @Nullable
    InetSocketAddress listen() throws SQLException {
        String text = text(Option.LISTEN);
        if (text.isEmpty()) {
            return null;
        }
        try {
            return ListenAddress.parse(text);
        } catch (IllegalArgumentException e) {
            throw invalid(url, "option listen: " + e.getMessage());
        }
    }

    /** sqlite-jdbc's own options. */
    Properties sqlite() {
        Properties copy = new Properties();
        copy.putAll(sqlite);
        return copy;
    }

    /** Whether connections with these and with {@code other} can share one primary or replica. */
    boolean sharesWith(Settings other) {
        return mode == other.mode
                && text(Option.PRIMARY).equals(other.text(Option.PRIMARY))
                && text(Option.LISTEN).equals(other.text(Option.LISTEN))
                && text(Option.NAME).equals(other.text(Option.NAME));
    }
}
