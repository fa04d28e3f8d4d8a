package dev.lockstep.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class TerminalTest {

    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    @Test
    void keepsOneLineUpToDateOnATerminalAndReportsAboveIt() {
        Terminal terminal = terminal(10);
        terminal.show("one");
        terminal.show("one");
        terminal.show("two, and more than fits");
        terminal.report("news");
        terminal.clear();
        assertThat(written())
                .isEqualTo("\r\u001b[Kone\r\u001b[Ktwo, and \r\u001b[Knews\n\r\u001b[Ktwo, and \r\u001b[K");
    }

    @Test
    void printsNoLinesInQuickSuccessionElsewhere() {
        Terminal terminal = terminal(0);
        terminal.show("one");
        terminal.show("two");
        terminal.report("news");
        terminal.clear();
        assertThat(written()).isEqualTo("news\n");
    }

    private Terminal terminal(int columns) {
        return new Terminal(new PrintStream(written, true, UTF_8), columns);
    }

    private String written() {
        return written.toString(UTF_8).replace(System.lineSeparator(), "\n");
    }
}
