/** Frames, the chain, segments, the commit index, recovery and retention. */
@NullMarked
package dev.lockstep.log;

import org.jspecify.annotations.NullMarked;
