package dev.lockstep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BankTest {

    @TempDir
    Path directory;

    @Test
    void itsBalancesAddUpAndOneByteIsADifference() throws Exception {
        Path database = directory.resolve("app.db");
        Path copy = directory.resolve("copy.db");
        try (Bank bank = Bank.open(database)) {
            bank.transfer(10);
            assertThat(Bank.read(database)).isEqualTo(new Bank.Reading(Bank.TOTAL, 10, true));
            Files.write(copy, Bank.pages(database));
            assertThat(Bank.pages(copy)).isEqualTo(Bank.pages(database));
            bank.note("one letter more");
            assertThat(Bank.pages(copy)).isNotEqualTo(Bank.pages(database));
        }
    }
}
