/** The only maker of verified transactions. */
@NullMarked
package dev.lockstep.verify;

import org.jspecify.annotations.NullMarked;
