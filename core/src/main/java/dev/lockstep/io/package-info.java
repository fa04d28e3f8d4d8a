/** Storage seam, exclusive files and crash points. */
@NullMarked
package dev.lockstep.io;

import org.jspecify.annotations.NullMarked;
