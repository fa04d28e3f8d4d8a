package dev.lockstep.server.auth;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A JSON Web Token (RFC 7519) whose signature was verified, with the claims that libSQL's server knows:
 *
 * <pre>
 * exp, nbf   seconds since 1970; optional; clocks may be {@value #LEEWAY_SECONDS} s apart
 * a          "rw", or "ro" for reading only ("roa" means the same here, where nothing is attached); "rw" if it is left out
 * id         the one database it is for; all if it is left out
 * p          {"ro": {"ns": ["a"]}, "rw": {"ns": ["b"]}}, also "roa" and "rwa": databases with their rights, in place of a and id
 * </pre>
 *
 * @param notBefore in seconds since 1970
 * @param expires in seconds since 1970
 */
record Token(Rights rights, long notBefore, long expires) {

    static final int LEEWAY_SECONDS = 60;

    /** More than any token has that a person would make. */
    private static final int MAX_LENGTH = 16 << 10;

    private static final Pattern FORM = Pattern.compile("([\\w-]+)\\.([\\w-]+)\\.([\\w-]+)");
    private static final JsonMapper JSON = new JsonMapper();

    /** @throws AuthException if none of the keys signed it, or it is no such token */
    static Token verify(String text, List<VerificationKey> keys) throws AuthException {
        Matcher parts = FORM.matcher(text);
        if (text.length() > MAX_LENGTH || !parts.matches()) {
            throw AuthException.invalid("it is not three parts of base64 with dots between");
        }
        JsonNode header = json(parts.group(1));
        if (header.has("crit")) {
            throw AuthException.invalid("it demands extensions (crit), of which none is known");
        }
        String algorithm = header.path("alg").asText();
        byte[] signed = text.substring(0, parts.end(2)).getBytes(StandardCharsets.US_ASCII);
        byte[] signature = decode(parts.group(3));
        // The key decides about the algorithm: a token that could choose would choose one that is no proof.
        if (keys.stream().noneMatch(key -> key.algorithm().equals(algorithm) && key.verifies(signed, signature))) {
            throw AuthException.invalid("no key of this server has signed it (algorithm " + algorithm + ")");
        }
        JsonNode claims = json(parts.group(2));
        return new Token(
                claims.hasNonNull("p") ? scopes(claims.get("p")) : simple(claims),
                seconds(claims, "nbf", Long.MIN_VALUE),
                seconds(claims, "exp", Long.MAX_VALUE));
    }

    private static JsonNode json(String part) throws AuthException {
        try {
            JsonNode node = JSON.readTree(decode(part));
            if (node.isObject()) {
                return node;
            }
        } catch (IOException e) {
            // said below
        }
        throw AuthException.invalid("a part of it is no JSON object");
    }

    private static byte[] decode(String part) throws AuthException {
        try {
            return Base64.getUrlDecoder().decode(part);
        } catch (IllegalArgumentException e) {
            throw AuthException.invalid("a part of it is no base64");
        }
    }

    private static long seconds(JsonNode claims, String name, long absent) throws AuthException {
        JsonNode value = claims.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return absent;
        }
        if (!value.isNumber()) {
            throw AuthException.invalid(name + " is no number of seconds");
        }
        return value.longValue();
    }

    private static Rights simple(JsonNode claims) throws AuthException {
        Set<String> databases = claims.hasNonNull("id") ? Set.of(text(claims.get("id"))) : null;
        String access = claims.hasNonNull("a") ? text(claims.get("a")) : "rw";
        return switch (access) {
            case "rw" -> new Rights(databases, databases);
            case "ro", "roa" -> new Rights(databases, Set.of());
            default -> throw AuthException.invalid("a is \"" + access + "\", and not ro, roa or rw");
        };
    }

    private static String text(JsonNode value) throws AuthException {
        if (!value.isTextual()) {
            throw AuthException.invalid("a claim is no text: " + value);
        }
        return value.textValue();
    }

    private static Rights scopes(JsonNode scopes) throws AuthException {
        Set<String> writable = new HashSet<>();
        add(scopes, "rw", writable);
        add(scopes, "rwa", writable);
        Set<String> readable = new HashSet<>(writable);
        add(scopes, "ro", readable);
        add(scopes, "roa", readable);
        return new Rights(Set.copyOf(readable), Set.copyOf(writable));
    }

    private static void add(JsonNode scopes, String right, Set<String> databases) throws AuthException {
        for (JsonNode name : scopes.path(right).path("ns")) {
            databases.add(text(name));
        }
    }

    /** @param now in seconds since 1970 */
    void requireTimely(long now) throws AuthException {
        if (now - LEEWAY_SECONDS >= expires) {
            throw new AuthException("AUTH_JWT_EXPIRED", "the token has expired; get a new one");
        }
        if (now + LEEWAY_SECONDS < notBefore) {
            throw new AuthException("AUTH_JWT_IMMATURE", "the token is not valid yet; look at both clocks");
        }
    }
}
