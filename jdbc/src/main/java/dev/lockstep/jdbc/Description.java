package dev.lockstep.jdbc;

import java.util.List;

/**
 * What a server says of a statement without running it.
 *
 * @param parameters how many it has
 * @param readOnly whether it leaves the database as it is
 */
record Description(int parameters, List<RemoteRows.Column> columns, boolean readOnly) {}
