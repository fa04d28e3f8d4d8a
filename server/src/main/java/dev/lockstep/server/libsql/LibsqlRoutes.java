package dev.lockstep.server.libsql;

import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
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

    /** Adds the service's calls to a server, whose limits for whole requests apply. */
    public static void add(ServerBuilder server, GrpcService service) {
        addTight(server, service, new TightTrailers(service));
    }

    /** Adds the calls of a service that has limits of its own, for time and for each message. */
    public static void addUnlimited(ServerBuilder server, GrpcService service) {
        HttpService tight = new TightTrailers(service);
        addTight(server, service, (context, request) -> {
            context.setMaxRequestLength(0);
            context.clearRequestTimeout();
            return tight.serve(context, request);
        });
    }

    /**
     * Answers what embedded replicas ask first: not found says that gRPC is spoken here. Any success would make them try a newer protocol
     * over plain HTTP.
     */
    public static void addProbe(ServerBuilder server) {
        for (String path : new String[] {"/info", "/{" + RequestedDatabase.PATH_PARAMETER + "}/info"}) {
            server.service(path, (context, request) -> HttpResponse.of(HttpStatus.NOT_FOUND));
        }
    }

    private static void addTight(ServerBuilder server, GrpcService service, HttpService tight) {
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
