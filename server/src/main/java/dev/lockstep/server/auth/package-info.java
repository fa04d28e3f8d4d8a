/** Who a client is and what it may do: tokens, as libSQL's server knows them. */
@org.jspecify.annotations.NullMarked
package dev.lockstep.server.auth;
