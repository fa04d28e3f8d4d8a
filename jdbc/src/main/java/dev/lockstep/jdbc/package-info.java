/**
 * The JDBC driver {@code jdbc:lockstep:}. Its connections are sqlite-jdbc's, with another {@link org.sqlite.core.DB} beneath where
 * statements may run elsewhere than in this process; docs/jdbc.md is its manual.
 */
@NullMarked
package dev.lockstep.jdbc;

import org.jspecify.annotations.NullMarked;
