package dev.lockstep.stream;

import dev.lockstep.stream.ToPrimary.Ack;

/**
 * How far a sender is, for those who watch it from other threads.
 *
 * @param sent the last frame sent
 * @param sentBytes frames and pages sent in this session
 * @param unappliedSinceMillis when the oldest transaction was committed that the replica was sent and has not applied; -1 for
 *     none
 */
record SenderProgress(Sender.State state, long sent, long sentBytes, Ack ack, long unappliedSinceMillis) {}
