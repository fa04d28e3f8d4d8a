package dev.lockstep.jdbc;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A statement to run on a server.
 *
 * @param arguments in order; null, Integer, Long, Double, String or byte[]
 */
record RemoteStatement(String sql, List<@Nullable Object> arguments) {

    static RemoteStatement of(String sql, @Nullable Object... arguments) {
        return new RemoteStatement(sql, Arrays.asList(arguments));
    }
}
