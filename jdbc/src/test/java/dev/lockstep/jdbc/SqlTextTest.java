package dev.lockstep.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lockstep.jdbc.SqlText.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SqlTextTest {

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
            begin immediate;,                      BEGIN
            /* a */ -- b, OTHER
            /* begin */ commit,                    END
            END TRANSACTION,                       END
            rollback,                              ROLLBACK
            rollback transaction,                  ROLLBACK
            rollback to savepoint a,               ROLLBACK_TO
            ROLLBACK TRANSACTION TO a,             ROLLBACK_TO
            savepoint a,                           SAVEPOINT
            release a,                             RELEASE
            replace into t values (1),             CHANGE
            with a as (select 1) select * from a,  OTHER
            beginning,                             OTHER
            """)
    void theFirstWordsTellTheKind(String sql, Kind kind) {
        assertThat(SqlText.kind(sql)).isEqualTo(kind);
    }

    @Test
    void semicolonsInsideOfTokensDoNotEndAStatement() {
        assertThat(SqlText.split("select ';', \";\", `;`, [;] -- ;\n/* ; */ from t; select 'it''s;'; ; -- end\n"))
                .containsExactly("select ';', \";\", `;`, [;] -- ;\n/* ; */ from t", " select 'it''s;'");
    }

    @Test
    void aTriggerEndsAtItsOwnEnd() {
        String trigger = "create temp trigger r after insert on t begin select case when 1 then 2 end; select 3; end";
        assertThat(SqlText.split(trigger + "; select 4")).containsExactly(trigger, " select 4");
    }

    @Test
    void whatHasNoEndIsOneStatement() {
        assertThat(SqlText.split("select 'open")).containsExactly("select 'open");
        assertThat(SqlText.split(" ;; /* open")).isEmpty();
    }
}
