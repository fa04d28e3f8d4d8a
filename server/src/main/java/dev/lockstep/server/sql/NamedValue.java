package dev.lockstep.server.sql;

/**
 * A value for a named parameter.
 *
 * @param name with its prefix ({@code :a}, {@code @a}, {@code $a}, {@code ?1}), or without, which stands for any prefix
 */
public record NamedValue(String name, Value value) {}
