package dev.lockstep.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs the benchmarks that are named, or all, and prints one table. */
public final class Bench {

    private interface Part {
        void run(Table table) throws Exception;
    }

    private static final Map<String, Part> PARTS = new LinkedHashMap<>();

    static {
        PARTS.put("chain", ChainBench::run);
        PARTS.put("log", LogBench::run);
        PARTS.put("capture", CaptureBench::run);
        PARTS.put("writer", WriterBench::run);
        PARTS.put("apply", ApplyBench::run);
        PARTS.put("latency", LatencyBench::run);
        PARTS.put("copy", FirstCopyBench::run);
        PARTS.put("hrana", HranaBench::run);
        PARTS.put("embedded", EmbeddedBench::run);
    }

    private Bench() {}

    public static void main(String[] args) throws Exception {
        Table table = new Table();
        for (String name : args.length == 0 ? PARTS.keySet() : List.of(args)) {
            Part part = PARTS.get(name);
            if (part == null) {
                System.err.println("unknown benchmark " + name + "; there are " + String.join(", ", PARTS.keySet()));
                System.exit(2);
            } else {
                part.run(table);
            }
        }
        System.out.println(table);
    }
}
