package dev.lockstep.server.auth;

import org.jspecify.annotations.Nullable;

/** Tells what the holder of a token may do. Thread-safe. */
@FunctionalInterface
public interface Tokens {

    /** Where none is asked for. */
    Tokens UNASKED = token -> Rights.ALL;

    /** @param token null if the client has shown none */
    Rights rights(@Nullable String token) throws AuthException;
}
