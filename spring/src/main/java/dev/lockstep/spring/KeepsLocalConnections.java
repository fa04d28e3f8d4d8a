package dev.lockstep.spring;

import com.zaxxer.hikari.SQLExceptionOverride;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;

/** A replica's connection to its file is as good as before when the primary could not be reached, so the pool is not to throw it away. */
final class KeepsLocalConnections implements SQLExceptionOverride {

    @java.lang.Override
    public Override adjudicate(SQLException e) {
        return e instanceof SQLTransientConnectionException ? Override.DO_NOT_EVICT : Override.CONTINUE_EVICT;
    }
}
