/** Benchmarks, each a ratio of things measured side by side in one run. */
@NullMarked
package dev.lockstep.bench;

import org.jspecify.annotations.NullMarked;
