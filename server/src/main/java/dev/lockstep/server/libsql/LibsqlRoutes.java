package dev.lockstep.server.libsql;

import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.Route;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.ServiceRequestContextWrapper;
import com.linecorp.armeria.server.grpc.GrpcService;

/**
 * Where libSQL's clients call gRPC services: {@code /wal_log.ReplicationLog/Hello}, and under every database's name, {@code
 * /NAME/wal_log.ReplicationLog/Hello}, when their URL has a path.
 */
public final class LibsqlRoutes {

    private LibsqlRoutes() {}

    /** Adds the service's calls to a server. */
    public static void add(ServerBuilder server, GrpcService service) {
        HttpService tight = new TightTrailers(service);
        HttpService withoutName = (context, request) -> tight.serve(new WithoutName(context), request);
        service.routes().forEach(route -> server.service(route, tight));
        service.methods().keySet().forEach(method -> {
            Route route = Route.builder()
                    .path("/{" + RequestedDatabase.PATH_PARAMETER + "}/" + method)
                    .build();
            server.service(route, withoutName);
        });
    }

    /** The context of a call whose path does not begin with the name. */
    private static final class WithoutName extends ServiceRequestContextWrapper {

        WithoutName(ServiceRequestContext context) {
            super(context);
        }

        @Override
        public String mappedPath() {
            String path = unwrap().mappedPath();
            return path.substring(path.indexOf('/', 1));
        }
    }
}
