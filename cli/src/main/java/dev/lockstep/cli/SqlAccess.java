package dev.lockstep.cli;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Whether a primary runs SQL for those who can connect, which lets them write. Unless it is said, it does for this machine, or for
 * those with a token: nobody is to open a database to a network without meaning it.
 *
 * @param warning for the person who starts it, or null
 */
record SqlAccess(boolean allowed, @Nullable String warning) {

    /**
     * @param asked --sql (true), --no-sql (false), or null
     * @param tokens whether clients have to show who they are
     */
    static SqlAccess of(@Nullable Boolean asked, InetSocketAddress address, boolean tokens) {
        boolean alone = tokens || address.getAddress().isLoopbackAddress();
        if (asked == null) {
            return new SqlAccess(
                    alone,
                    alone
                            ? null
                            : "SQL access is off, because others than this machine can connect; --sql allows it to all who can, --auth-jwt-key-file to"
                                    + " those with a token");
        }
        return new SqlAccess(
                asked,
                asked && !alone
                        ? "warning: whoever can connect to " + address.getHostString()
                                + " can read and change the databases; --auth-jwt-key-file asks for tokens"
                        : null);
    }
}
