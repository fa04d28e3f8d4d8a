package dev.lockstep.pages;

import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;

/** A process that makes a page index of many pages; it prints the message of an {@link IOException}. */
final class ManyPages {

    private ManyPages() {}

    /** Arguments: the index file, the number of pages. */
    public static void main(String[] args) throws Exception {
        int pages = Integer.parseInt(args[1]);
        try (PageIndex index = PageIndex.create(Path.of(args[0]), new UUID(1, 2), 512)) {
            for (int pageNo = 1; pageNo <= pages; pageNo++) {
                index.set(pageNo, pageNo, pageNo);
            }
            index.commit(pages, pages);
            index.flush(pages);
            index.force();
        } catch (IOException e) {
            System.out.println("IOException: " + e.getMessage());
        }
    }
}
