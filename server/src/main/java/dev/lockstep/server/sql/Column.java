package dev.lockstep.server.sql;

import org.jspecify.annotations.Nullable;

/**
 * A column of a result.
 *
 * @param decltype the type as the table's definition spells it; null for an expression or a column without type
 */
public record Column(String name, @Nullable String decltype) {}
