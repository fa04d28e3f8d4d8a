/** A live WAL becomes committed transactions in the log; pins and checkpoints keep foreign programs from recycling it first. */
@NullMarked
package dev.lockstep.capture;

import org.jspecify.annotations.NullMarked;
