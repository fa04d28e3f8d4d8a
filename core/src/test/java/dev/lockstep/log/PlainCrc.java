package dev.lockstep.log;

/** The chain as its definition reads, one bit at a time: what the fast code is compared with. */
final class PlainCrc {

    private PlainCrc() {}

    static long step(long seed, byte[] bytes, int offset, int length) {
        long register = Long.reverse(seed);
        for (int i = offset; i < offset + length; i++) {
            register ^= bytes[i] & 0xff;
            for (int bit = 0; bit < 8; bit++) {
                boolean carry = (register & 1) != 0;
                register >>>= 1;
                if (carry) {
                    register ^= 0xD800000000000000L;
                }
            }
        }
        return ~register;
    }
}
