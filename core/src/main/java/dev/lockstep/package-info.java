/** The public API: positions, failures, and the primary and replica of one database. */
@NullMarked
package dev.lockstep;

import org.jspecify.annotations.NullMarked;
