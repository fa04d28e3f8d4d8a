package dev.lockstep.server;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.Route;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.lockstep.LockstepException;
import dev.lockstep.server.libsql.UnknownDatabaseException;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes and drops databases, as sqld's admin API does:
 *
 * <pre>
 * POST   /v1/namespaces/NAME/create   200 {}, 400 if the name cannot be one or there is no more space for it, 409 if it is there
 * DELETE /v1/namespaces/NAME          200 {}, 404 if there is none; files of others in its directory stay
 * </pre>
 *
 * Failures have the form {@code {"error": "..."}}. Whoever can connect may use it. Thread-safe.
 */
final class AdminService {

    private static final Logger logger = LoggerFactory.getLogger(AdminService.class);
    private static final String NAME = "name";

    /** Makes and drops databases of a server. */
    interface Control {
        void create(String name) throws IOException;

        void drop(String name) throws IOException, UnknownDatabaseException;
    }

    private interface Action {
        void on(String name) throws IOException, UnknownDatabaseException;
    }

    private final Executor executor;

    AdminService(Executor executor) {
        this.executor = executor;
    }

    void addTo(ServerBuilder server, Control control) {
        add(server, HttpMethod.POST, "/v1/namespaces/{" + NAME + "}/create", control::create);
        add(server, HttpMethod.DELETE, "/v1/namespaces/{" + NAME + "}", control::drop);
    }

    private void add(ServerBuilder server, HttpMethod method, String path, Action action) {
        Route route = Route.builder().path(path).methods(method).build();
        server.service(
                route,
                (context, request) -> HttpResponse.of(request.aggregate()
                        .thenCompose(all -> CompletableFuture.supplyAsync(() -> run(context, action), executor))));
    }

    private static HttpResponse run(ServiceRequestContext context, Action action) {
        String name = String.valueOf(context.pathParam(NAME));
        try {
            action.on(name);
            logger.info("{} {}", context.method(), context.path());
            return HttpResponse.ofJson(HttpStatus.OK, Map.of());
        } catch (UnknownDatabaseException e) {
            return failure(HttpStatus.NOT_FOUND, e);
        } catch (IllegalStateException e) {
            return failure(HttpStatus.CONFLICT, e);
        } catch (LockstepException e) {
            return failure(HttpStatus.BAD_REQUEST, e);
        } catch (IOException | RuntimeException e) {
            logger.warn("{} {} failed: {}", context.method(), context.path(), e.getMessage(), e);
            return failure(HttpStatus.INTERNAL_SERVER_ERROR, e);
        }
    }

    private static HttpResponse failure(HttpStatus status, Exception e) {
        return HttpResponse.ofJson(status, Map.of("error", String.valueOf(e.getMessage())));
    }
}
