package dev.lockstep.server.auth;

import com.linecorp.armeria.server.ServiceRequestContext;
import io.netty.util.AttributeKey;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a client may do with which databases. Immutable.
 *
 * @param readable the databases whose SQL and frames it may read; null for all
 * @param writable those of them that it may write; null for all
 */
public record Rights(
        @Nullable Set<String> readable, @Nullable Set<String> writable) {

    /** Of everyone, where no token is asked for. */
    public static final Rights ALL = new Rights(null, null);

    /** Of a client that has still to show its token. */
    static final Rights NONE = new Rights(Set.of(), Set.of());

    private static final AttributeKey<Rights> ATTRIBUTE = AttributeKey.valueOf(Rights.class, "RIGHTS");

    /** Those of the client whose request is being served. */
    public static Rights of(ServiceRequestContext context) {
        Rights rights = context.attr(ATTRIBUTE);
        return rights == null ? ALL : rights;
    }

    void grant(ServiceRequestContext context) {
        context.setAttr(ATTRIBUTE, this);
    }

    public boolean mayRead(String database) {
        return readable == null || readable.contains(database);
    }

    public boolean mayWrite(String database) {
        return writable == null || writable.contains(database);
    }
}
