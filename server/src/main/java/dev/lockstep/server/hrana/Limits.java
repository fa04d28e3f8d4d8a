package dev.lockstep.server.hrana;

import java.time.Duration;

/**
 * All bounds of SQL access in one place. libSQL's server stores 50 texts; its own client for WebSocket keeps up to 100 of fewer than 5000
 * characters each, so that there are more here.
 *
 * @param streams open at once in the whole server; also the most threads that are at work
 * @param waiting requests that wait for a thread
 * @param idle how long a stream over HTTP lives without a request
 * @param storedTexts SQL texts that a stream (HTTP) or a connection (WebSocket) may store
 * @param storedLength their greatest length in characters
 * @param requestBytes of a request's body or a WebSocket message
 * @param responseBytes of the rows in one response; cursors are for more
 * @param statements of one request
 * @param outstanding requests of one WebSocket connection that are not answered yet
 * @param stalled how long a reader may take nothing of a cursor, or a silent WebSocket client may be trusted to be there
 * @param memory bytes that all requests and responses under way may hold together
 */
record Limits(
        int streams,
        int waiting,
        Duration idle,
        int storedTexts,
        int storedLength,
        int requestBytes,
        int responseBytes,
        int statements,
        int outstanding,
        Duration stalled,
        long memory) {

    static Limits defaults() {
        return new Limits(
                1024,
                1024,
                Duration.ofSeconds(10),
                150,
                5000,
                32 << 20,
                32 << 20,
                10_000,
                128,
                Duration.ofSeconds(30),
                Math.max(64L << 20, Runtime.getRuntime().maxMemory() / 4));
    }

    Limits withIdle(Duration value) {
        return new Limits(
                streams,
                waiting,
                value,
                storedTexts,
                storedLength,
                requestBytes,
                responseBytes,
                statements,
                outstanding,
                stalled,
                memory);
    }

    Limits withStreams(int value) {
        return new Limits(
                value,
                waiting,
                idle,
                storedTexts,
                storedLength,
                requestBytes,
                responseBytes,
                statements,
                outstanding,
                stalled,
                memory);
    }
}
