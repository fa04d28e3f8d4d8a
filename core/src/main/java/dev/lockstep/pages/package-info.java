/** The page index (last frame and content CRC of every page), the state checksum and page comparison. */
@NullMarked
package dev.lockstep.pages;

import org.jspecify.annotations.NullMarked;
