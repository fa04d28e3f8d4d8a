package dev.lockstep.server.sql;

import java.util.Arrays;

/** One SQLite value, exactly. Immutable, as long as nobody writes to a blob's array. */
public sealed interface Value {

    record Null() implements Value {}

    record Int(long value) implements Value {}

    /** SQLite stores a NaN as NULL. */
    record Real(double value) implements Value {}

    /** Text; what is no valid UTF-8 in the database was replaced with U+FFFD. */
    record Text(String value) implements Value {}

    /** Bytes, shared and not copied. */
    @SuppressWarnings("ArrayRecordComponent") // equals, hashCode and toString below compare contents
    record Blob(byte[] value) implements Value {

        @Override
        public boolean equals(Object other) {
            return other instanceof Blob blob && Arrays.equals(value, blob.value);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(value);
        }

        @Override
        public String toString() {
            return "Blob[" + value.length + " bytes]";
        }
    }

    /** The value NULL. */
    Value NULL = new Null();
}
