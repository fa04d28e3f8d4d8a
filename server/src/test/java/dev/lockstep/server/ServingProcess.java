package dev.lockstep.server;

import dev.lockstep.testing.PrimaryProcess;

/** A {@link PrimaryProcess} that serves replicas, too; it prints {@code port N}. */
final class ServingProcess {

    private ServingProcess() {}

    public static void main(String[] arguments) throws Exception {
        PrimaryProcess.run(arguments, primary -> {
            LockstepServer server = LockstepServer.builder()
                    .listen(ReplicationTest.loopback(0))
                    .database(primary)
                    .start();
            System.out.println("port " + server.port());
            return server;
        });
    }
}
