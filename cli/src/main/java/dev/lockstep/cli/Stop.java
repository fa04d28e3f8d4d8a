package dev.lockstep.cli;

import java.lang.reflect.Proxy;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The wish to end: Ctrl-C, or a signal of the system. A command that serves waits for it and then ends in its own order, with
 * its own exit code. Whoever cannot wait for that signals a second time: the process then ends at once, as in a crash, which
 * costs the next start some work and nothing else (G6).
 *
 * <p>Thread-safe.
 */
final class Stop {

    private static final int KILLED = 130;

    /** An orderly end takes this long at most before it becomes an immediate one. */
    private static final long PATIENCE_SECONDS = 20;

    private final CountDownLatch requested = new CountDownLatch(1);

    /**
     * From now on a signal does not end this process but requests it here. A shutdown hook would not do: the exit code could no
     * longer be chosen, and libraries take their hooks for the time to delete what is still in use. Until now it ends the process: to open
     * a large database for the first time takes long, and can be cut short at any point (G6).
     */
    void onSignals() {
        for (String name : new String[] {"INT", "TERM", "HUP"}) {
            try {
                handle(name);
            } catch (ReflectiveOperationException | RuntimeException e) {
                logger().info("signal {} ends this process at once: {}", name, e.toString());
            }
        }
    }

    /** By reflection, because the compiler warns of this class, which every JVM has (JEP 260), and has no word to silence it. */
    private void handle(String name) throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        Object here =
                Proxy.newProxyInstance(Stop.class.getClassLoader(), new Class<?>[] {handler}, (self, method, args) -> {
                    if (method.getName().equals("handle")) {
                        signalled();
                    }
                    return null;
                });
        signal.getMethod("handle", signal, handler)
                .invoke(null, signal.getConstructor(String.class).newInstance(name), here);
    }

    private void signalled() {
        if (isRequested()) {
            Runtime.getRuntime().halt(KILLED);
        }
        Thread watch = new Thread(Stop::endAnyway, "lockstep-stop");
        watch.setDaemon(true);
        watch.start();
        request();
    }

    private static void endAnyway() {
        try {
            TimeUnit.SECONDS.sleep(PATIENCE_SECONDS);
            logger().warn("no orderly end within {} s; ending at once", PATIENCE_SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally { // also where the warning fails, as when the jar was replaced meanwhile
            Runtime.getRuntime().halt(ExitCode.FAILURE.code());
        }
    }

    /** Not a constant: most commands never log, and the first logger costs a tenth of a second. */
    private static Logger logger() {
        return LoggerFactory.getLogger(Stop.class);
    }

    void request() {
        requested.countDown();
    }

    boolean isRequested() {
        return requested.getCount() == 0;
    }

    /** Waits until the end is wished for, or the time is over; says whether it is wished for. */
    boolean await(long millis) {
        try {
            return requested.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }
}
