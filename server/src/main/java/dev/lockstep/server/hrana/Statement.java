package dev.lockstep.server.hrana;

import dev.lockstep.server.sql.NamedValue;
import dev.lockstep.server.sql.Value;
import java.util.List;

/** Stmt: one SQL statement with its arguments. */
record Statement(SqlText text, List<Value> args, List<NamedValue> named, boolean wantRows) {}
