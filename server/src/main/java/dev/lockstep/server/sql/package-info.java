/** SQL on a hosted database: sessions, one writer at a time, limits, and what is refused. */
@NullMarked
package dev.lockstep.server.sql;

import org.jspecify.annotations.NullMarked;
