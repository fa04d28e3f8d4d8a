package dev.lockstep.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
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
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.addAppender(appender);
        root.setLevel(Verbosity.level() > 1 ? Level.INFO : Level.WARN);
        Level ours = Verbosity.level() > 1 ? Level.DEBUG : Verbosity.isVerbose() ? Level.INFO : Level.WARN;
        context.getLogger("dev.lockstep").setLevel(ours);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
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
