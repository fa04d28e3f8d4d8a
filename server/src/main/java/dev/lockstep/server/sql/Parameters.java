package dev.lockstep.server.sql;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of one statement, numbered as SQLite does: {@code ?} takes the number after the highest so far, {@code ?7} is number
 * 7, a name gets the next number where it first stands. Immutable once the statement is read; then thread-safe.
 */
final class Parameters {

    /** By number, from 1 at index 0; null where it is a plain ? or not used. */
    private final List<@Nullable String> names = new ArrayList<>();

    private final List<Boolean> used = new ArrayList<>();
    private final Map<String, Integer> numbers = new HashMap<>();

    /** Takes note of a parameter as it stands in the text. SQLite itself refuses numbers that are out of range. */
    void add(String text) {
        if (text.equals("?")) {
            use(names.size() + 1, null);
        } else if (text.charAt(0) == '?') {
            if (text.length() <= 6) {
                int number = Integer.parseInt(text.substring(1));
                if (number >= 1 && number <= SqlLimits.PARAMETERS) {
                    use(number, text);
                }
            }
        } else if (!numbers.containsKey(text)) {
            use(names.size() + 1, text);
        }
    }

    private void use(int number, @Nullable String name) {
        while (names.size() < number) {
            names.add(null);
            used.add(false);
        }
        used.set(number - 1, true);
        if (name != null && names.get(number - 1) == null) {
            names.set(number - 1, name);
            numbers.put(name, number);
        }
    }

    List<@Nullable String> names() {
        return new ArrayList<>(names);
    }

    /**
     * The values by number, as sqlite-jdbc takes them.
     *
     * @throws SqlFailure ARGS_INVALID if a parameter has no value, or a value has no parameter
     */
    @Nullable
    Object[] bind(List<Value> args, List<NamedValue> named) throws SqlFailure {
        if (args.size() > names.size()) {
            throw SqlFailure.of(
                    SqlFailure.ARGS_INVALID,
                    args.size() + " values by position for a statement with " + names.size() + " parameters");
        }
        @Nullable Value[] values = new Value[names.size()];
        for (int i = 0; i < args.size(); i++) {
            values[i] = args.get(i);
        }
        for (NamedValue one : named) {
            if (!bindByName(one, values)) {
                throw SqlFailure.of(
                        SqlFailure.ARGS_INVALID,
                        "there is no parameter named " + one.name() + "; there are " + numbers.keySet());
            }
        }
        return objects(values);
    }

    private boolean bindByName(NamedValue one, @Nullable Value[] values) {
        boolean found = false;
        for (String prefix : new String[] {"", ":", "@", "$", "#"}) {
            Integer number = numbers.get(prefix + one.name());
            if (number != null) {
                values[number - 1] = one.value();
                found = true;
            }
        }
        return found;
    }

    private @Nullable Object[] objects(@Nullable Value[] values) throws SqlFailure {
        @Nullable Object[] objects = new Object[values.length];
        for (int i = 0; i < values.length; i++) {
            Value value = values[i];
            if (value == null && used.get(i)) {
                String name = names.get(i);
                throw SqlFailure.of(
                        SqlFailure.ARGS_INVALID,
                        "value for parameter " + (name != null ? name : String.valueOf(i + 1)) + " not found");
            }
            objects[i] = value == null ? null : object(value);
        }
        return objects;
    }

    private static @Nullable Object object(Value value) {
        if (value instanceof Value.Int number) {
            return number.value();
        }
        if (value instanceof Value.Real real) {
            return real.value();
        }
        if (value instanceof Value.Text text) {
            return text.value();
        }
        return value instanceof Value.Blob blob ? blob.value() : null;
    }
}
