/** Transports and services: Lockstep's native replication over gRPC, on one port. */
@NullMarked
package dev.lockstep.server;

import org.jspecify.annotations.NullMarked;
