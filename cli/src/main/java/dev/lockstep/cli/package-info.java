/** The command line: one class per command. */
@NullMarked
package dev.lockstep.cli;

import org.jspecify.annotations.NullMarked;
