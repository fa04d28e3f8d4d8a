package dev.lockstep.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** What databases are called in URLs. */
final class DatabaseNames {

    private DatabaseNames() {}

    /**
     * Names in the databases' order.
     *
     * @param given one for each, or null to take the file names without extension
     * @throws ParameterException if two would have the same name
     */
    static Map<String, Path> assign(CommandLine command, List<Path> databases, @Nullable List<String> given) {
        if (given != null && given.size() != databases.size()) {
            throw new ParameterException(
                    command,
                    "--name was given " + given.size() + " times for " + databases.size()
                            + " databases; give it once for each, in the same order");
        }
        Map<String, Path> byName = new LinkedHashMap<>();
        for (int i = 0; i < databases.size(); i++) {
            Path database = databases.get(i);
            String name = given != null ? given.get(i) : stem(database);
            if (name.isEmpty() || name.indexOf('/') >= 0) {
                throw new ParameterException(
                        command, "'" + name + "' cannot be a name: it has to fit into a URL's path");
            }
            Path other = byName.putIfAbsent(name, database);
            if (other != null) {
                throw new ParameterException(
                        command,
                        other + " and " + database + " would both be named '" + name
                                + "'; give --name once for each database, in the same order");
            }
        }
        return byName;
    }

    private static String stem(Path database) {
        String file = String.valueOf(database.toAbsolutePath().normalize().getFileName());
        int dot = file.lastIndexOf('.');
        return dot > 0 ? file.substring(0, dot) : file;
    }
}
