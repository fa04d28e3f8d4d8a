/** Sender and receiver of one replication session, free of sockets. */
@NullMarked
package dev.lockstep.stream;

import org.jspecify.annotations.NullMarked;
