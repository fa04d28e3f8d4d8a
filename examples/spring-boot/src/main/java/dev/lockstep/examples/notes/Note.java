package dev.lockstep.examples.notes;

/** @param created ISO 8601, UTC */
record Note(long id, String text, String created) {}
