/** Bytes that SQLite owns: database header, WAL, wal-index, and the one place that opens live files. Knows nothing of replication. */
@NullMarked
package dev.lockstep.sqlite;

import org.jspecify.annotations.NullMarked;
