package dev.lockstep.server.sql;

import dev.lockstep.server.sql.Lexer.Token;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A PRAGMA statement, and whether it may be run (source: "PRAGMA Statements"; {@code PRAGMA pragma_list} of the SQLite in use).
 *
 * <p>Many take effect while they are compiled, even behind EXPLAIN, so this is decided before SQLite sees them.
 *
 * @param name in lower case, without schema and quotes
 * @param value what follows = or stands in brackets, in lower case and without quotes; null if there is none
 */
record Pragma(String name, @Nullable String value) {

    private enum Effect {
        /** None, with or without an argument. */
        NONE,
        /** A value changes the connection. */
        CONNECTION,
        /** A value changes the database. */
        DATABASE,
        /** Changes the database, with or without an argument. */
        ALWAYS_DATABASE
    }

    /**
     * @param allowed which values may be given
     * @param reason why others may not
     */
    private record Rule(Effect effect, Predicate<String> allowed, String reason) {}

    private static final Map<String, Rule> RULES = new HashMap<>();
    private static final Set<String> OFF = Set.of("0", "off", "no", "false");
    private static final long MAX_CACHE_PAGES = 16_384;

    private static void rules(Effect effect, String... names) {
        for (String name : names) {
            RULES.put(name, new Rule(effect, value -> true, ""));
        }
    }

    private static void restrict(String name, Predicate<String> allowed, String reason) {
        RULES.put(name, new Rule(Effect.CONNECTION, allowed, reason));
    }

    private static void fix(String name, String reason) {
        restrict(name, value -> false, reason);
    }

    static {
        rules(
                Effect.NONE,
                "collation_list",
                "compile_options",
                "data_version",
                "database_list",
                "foreign_key_check",
                "foreign_key_list",
                "freelist_count",
                "function_list",
                "index_info",
                "index_list",
                "index_xinfo",
                "integrity_check",
                "module_list",
                "page_count",
                "pragma_list",
                "quick_check",
                "shrink_memory",
                "table_info",
                "table_list",
                "table_xinfo");
        rules(
                Effect.CONNECTION,
                "analysis_limit",
                "automatic_index",
                "busy_timeout",
                "cache_spill",
                "case_sensitive_like",
                "cell_size_check",
                "checkpoint_fullfsync",
                "count_changes",
                "defer_foreign_keys",
                "empty_result_callbacks",
                "encoding",
                "foreign_keys",
                "full_column_names",
                "fullfsync",
                "ignore_check_constraints",
                "legacy_alter_table",
                "max_page_count",
                "query_only",
                "read_uncommitted",
                "recursive_triggers",
                "reverse_unordered_selects",
                "secure_delete",
                "short_column_names",
                "threads",
                "trusted_schema");
        rules(Effect.DATABASE, "application_id", "auto_vacuum", "default_cache_size", "user_version");
        rules(Effect.ALWAYS_DATABASE, "incremental_vacuum", "optimize");
        restrict(
                "cache_size",
                Pragma::isModestCache,
                "the server's memory is shared; up to 64 MiB or " + MAX_CACHE_PAGES + " pages are allowed");
        restrict("journal_mode", "wal"::equals, "replication reads the WAL, so the journal mode stays wal");
        restrict("locking_mode", "normal"::equals, "other connections, and replication itself, use the database too");
        restrict("mmap_size", "0"::equals, "a mapped database file could end the server when it is truncated");
        restrict(
                "synchronous",
                Set.of("1", "normal", "2", "full", "3", "extra")::contains,
                "the database would be lost with the power while its replicas live on");
        restrict(
                "temp_store",
                Set.of("0", "default", "1", "file")::contains,
                "temporary tables in memory would not be bounded");
        restrict("writable_schema", OFF::contains, "it would allow to damage the database");
        fix("hard_heap_limit", "it would apply to the whole server");
        fix("soft_heap_limit", "it would apply to the whole server");
        fix("journal_size_limit", "Lockstep manages the WAL and its size");
        fix("page_size", "a replicated database keeps its page size");
        fix("schema_version", "SQLite itself counts it, and a wrong value can damage the database");
        fix("temp_store_directory", "it would apply to the whole server");
        fix("data_store_directory", "it would apply to the whole server");
        fix("wal_autocheckpoint", "Lockstep makes the checkpoints, because frames must be captured before");
    }

    private static boolean isModestCache(String value) {
        try {
            long size = Long.parseLong(value);
            return size >= 0 ? size <= MAX_CACHE_PAGES : size >= -(64 << 10);
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private @Nullable Rule rule() {
        return RULES.get(name);
    }

    /** Why it is not run, or null if it is. */
    @Nullable
    String refusal() {
        String refused = "PRAGMA " + name + (value == null ? "" : " = " + value) + " is refused: ";
        if (name.equals("wal_checkpoint")) {
            return refused + "Lockstep makes the checkpoints, because frames must be captured before";
        }
        Rule rule = rule();
        if (rule == null) {
            return refused + "it is not known here";
        }
        return value == null || rule.allowed().test(value) ? null : refused + rule.reason();
    }

    boolean writes() {
        Rule rule = rule();
        return rule != null
                && (rule.effect() == Effect.ALWAYS_DATABASE || (rule.effect() == Effect.DATABASE && value != null));
    }

    boolean changesConnection() {
        Rule rule = rule();
        return rule != null && rule.effect() == Effect.CONNECTION && value != null;
    }

    /** Whether compiling it may already have an effect, so that it cannot be described by SQLite. */
    boolean actsWhenCompiled() {
        return value != null && !hasNoEffect();
    }

    private boolean hasNoEffect() {
        Rule rule = rule();
        return rule != null && rule.effect() == Effect.NONE;
    }

    /** Takes the tokens after PRAGMA: {@code [schema.]name [= value | (value)]}. Not thread-safe. */
    static final class Reader {

        private String name = "";
        private @Nullable StringBuilder value;

        void take(Lexer token) {
            if (value != null) {
                if (!token.isPunctuation(')')) {
                    value.append(token.unquoted());
                }
            } else if (token.isPunctuation('=') || token.isPunctuation('(')) {
                value = new StringBuilder();
            } else if (token.type != Token.PUNCTUATION) {
                name = token.unquoted();
            }
        }

        Pragma pragma() {
            return new Pragma(
                    name.toLowerCase(Locale.ROOT),
                    value == null ? null : value.toString().toLowerCase(Locale.ROOT));
        }
    }
}
