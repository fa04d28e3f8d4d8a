/** libSQL's own protocols on the server's port, for unmodified libSQL clients. */
@NullMarked
package dev.lockstep.server.libsql;

import org.jspecify.annotations.NullMarked;
