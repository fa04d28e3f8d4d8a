package dev.lockstep.server.sql;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a statement is, without running it.
 *
 * @param parameters in the order of SQLite's numbers, the first for parameter 1: the name with its prefix, or null for a plain {@code ?}
 *     and for a number that is not used
 * @param explain whether it is an EXPLAIN
 * @param readOnly whether it leaves the database as it is; transaction control does, but not BEGIN IMMEDIATE
 */
public record Description(List<@Nullable String> parameters, List<Column> columns, boolean explain, boolean readOnly) {}
