/** Storage seam, what else touches files (locks, mappings, paths), worker threads, and crash points. */
@NullMarked
package dev.lockstep.io;

import org.jspecify.annotations.NullMarked;
