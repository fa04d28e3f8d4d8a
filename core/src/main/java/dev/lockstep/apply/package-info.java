/** Verified transactions become frames in the replica's WAL. */
@NullMarked
package dev.lockstep.apply;

import org.jspecify.annotations.NullMarked;
