package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.Column;
import dev.lockstep.server.sql.Outcome;
import dev.lockstep.server.sql.Value;
import java.util.List;

/** StmtResult: the rows of a statement, and what it did. */
record StatementResult(List<Column> columns, List<List<Value>> rows, Outcome outcome) {}
