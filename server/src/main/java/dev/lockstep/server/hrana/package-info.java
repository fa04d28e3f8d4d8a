/** Hrana 1, 2 and 3: SQL over HTTP and WebSocket, in JSON and Protobuf, for libSQL's remote clients. */
@org.jspecify.annotations.NullMarked
package dev.lockstep.server.hrana;
