package dev.lockstep.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs the benchmarks that are named, or all, and prints one table. A name stands for all that begin with it: apply for apply-10. */
public final class Bench {

    private interface Part {
        void run(Table table) throws Exception;
    }

    private static final Map<String, Part> PARTS = new LinkedHashMap<>();

    static {
        PARTS.put("chain", ChainBench::run);
        PARTS.put("log", LogBench::run);
        PARTS.put("capture-1000", table -> CaptureBench.run(table, 1000));
        PARTS.put("capture-10", table -> CaptureBench.run(table, 10));
        PARTS.put("capture-1", table -> CaptureBench.run(table, 1));
        PARTS.put("writer-flat-out", WriterBench::flatOut);
        PARTS.put("writer-paced", WriterBench::paced);
        PARTS.put("apply-1", ApplyBench::oneFrame);
        PARTS.put("apply-10", ApplyBench::tenFrames);
        PARTS.put("apply-100", ApplyBench::hundredFrames);
        PARTS.put("apply-1000", ApplyBench::thousandFrames);
        PARTS.put("readers", ApplyBench::readers);
        PARTS.put("latency-eager", LatencyBench::eager);
        PARTS.put("latency-durable", LatencyBench::durable);
        PARTS.put("copy-receive", ApplyBench::firstCopy);
        PARTS.put("copy-loopback", FirstCopyBench::run);
        PARTS.put("idle", IdleBench::run);
        PARTS.put("hrana", HranaBench::run);
        PARTS.put("embedded", EmbeddedBench::run);
    }

    private Bench() {}

    public static void main(String[] args) throws Exception {
        List<Part> chosen = new ArrayList<>();
        for (String name : args.length == 0 ? List.of("") : List.of(args)) {
            List<Part> named = PARTS.entrySet().stream()
                    .filter(part ->
                            part.getKey().equals(name) || part.getKey().startsWith(name + "-") || name.isEmpty())
                    .map(Map.Entry::getValue)
                    .toList();
            if (named.isEmpty()) {
                System.err.println("unknown benchmark " + name + "; there are " + String.join(", ", PARTS.keySet()));
                System.exit(2);
            }
            chosen.addAll(named);
        }
        Table table = new Table();
        for (Part part : chosen) {
            part.run(table);
        }
        System.out.println(table);
    }
}
