/** What tests of all modules share: real SQLite databases under load, other processes, and the primary's side by hand. */
@NullMarked
package dev.lockstep.testing;

import org.jspecify.annotations.NullMarked;
