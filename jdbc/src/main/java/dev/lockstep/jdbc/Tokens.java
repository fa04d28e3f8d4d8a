package dev.lockstep.jdbc;

import dev.lockstep.Position;
import java.sql.SQLDataException;
import java.sql.SQLException;

/** Tokens of positions that come from outside. */
final class Tokens {

    private Tokens() {}

    /**
     * The position of a token.
     *
     * @param here where this database is
     * @throws SQLDataException if the token is damaged, or belongs to another history
     */
    static Position parse(String token, Position here) throws SQLException {
        Position position;
        try {
            position = Position.ofToken(token);
        } catch (IllegalArgumentException e) {
            throw new SQLDataException(e.getMessage(), "22023", e);
        }
        if (!position.logId().equals(here.logId())) {
            throw new SQLDataException(
                    "the token is of log " + position.logId() + ", but this database follows log " + here.logId()
                            + ": it comes from another database, or from a history that was begun anew since",
                    "22023");
        }
        return position;
    }
}
