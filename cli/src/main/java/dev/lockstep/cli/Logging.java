package dev.lockstep.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import ch.qos.logback.core.spi.ContextAwareBase;

/**
 * What Lockstep and its libraries report goes to standard error, above the progress line; standard output belongs to the
 * commands' answers. Found by logback through {@code META-INF/services}: in code, because a file of XML takes ten times as
 * long to read.
 */
@ConfiguratorRank(ConfiguratorRank.CUSTOM_HIGH_PRIORITY)
public final class Logging extends ContextAwareBase implements Configurator {

    /** {@code %nopex}: the message alone says what went wrong; -v adds the stack trace. */
    private static final String QUIET = "%d{HH:mm:ss} %-5level %msg%n%nopex";

    private static final String VERBOSE = "%d{HH:mm:ss.SSS} %-5level %logger{0} [%thread] %msg%n";

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        PatternLayout layout = new PatternLayout();
        layout.setContext(context);
        layout.setPattern(Verbosity.isVerbose() ? VERBOSE : QUIET);
        layout.start();
        ToTerminal appender = new ToTerminal(layout, Terminal.standardError());
        appender.setContext(context);
        appender.start();
        context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).addAppender(appender);
        setLevels(context);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    private static void setLevels(LoggerContext context) {
        int verbosity = Verbosity.level();
        Level ours =
                verbosity < 0 ? Level.OFF : verbosity == 0 ? Level.WARN : verbosity == 1 ? Level.INFO : Level.DEBUG;
        Level others = verbosity < 0 ? Level.OFF : verbosity < 2 ? Level.WARN : Level.INFO;
        context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).setLevel(others);
        context.getLogger("dev.lockstep").setLevel(ours);
        if (verbosity == 0) {
            // Why a replica stopped is the command's last line; once is enough.
            context.getLogger("dev.lockstep.Replica").setLevel(Level.OFF);
            // The second of Armeria's servers warns that the first has registered its meters, which nobody reads.
            context.getLogger("io.micrometer").setLevel(Level.ERROR);
            // Who connects without TLS, or breaks it off, is told so there; here it is no more than a client that asks
            // for a wrong name.
            context.getLogger("com.linecorp.armeria.server.HttpServerPipelineConfigurator")
                    .setLevel(Level.ERROR);
        }
    }

    private static final class ToTerminal extends AppenderBase<ILoggingEvent> {

        private final PatternLayout layout;
        private final Terminal terminal;

        ToTerminal(PatternLayout layout, Terminal terminal) {
            this.layout = layout;
            this.terminal = terminal;
        }

        @Override
        protected void append(ILoggingEvent event) {
            terminal.report(layout.doLayout(event).stripTrailing());
        }
    }
}
