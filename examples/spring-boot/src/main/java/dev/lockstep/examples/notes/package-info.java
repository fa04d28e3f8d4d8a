/** Notes over HTTP, on a primary or on any of its replicas. */
@NullMarked
package dev.lockstep.examples.notes;

import org.jspecify.annotations.NullMarked;
