/*
 * How many pages of a file the machine would lose with its power: those that the system has not written to the disk.
 *
 * usage: unsynced FILE
 *
 * Prints the number, or "unknown" where the system does not tell: Linux before 6.5, and file systems without a disk.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CACHESTAT 451

struct range { uint64_t offset, length; };
struct pages { uint64_t cached, dirty, being_written, evicted, recently_evicted; };

static long unsynced(int fd) {
    struct range all = {0, 0};
    struct pages found;
    memset(&found, 0, sizeof found);
    return syscall(CACHESTAT, fd, &all, &found, 0) == 0 ? (long)(found.dirty + found.being_written) : -1;
}

/* Whether the difference that a sync makes is to be seen there. */
static int tells(const char *beside) {
    char name[4096];
    snprintf(name, sizeof name, "%s-XXXXXX", beside);
    int fd = mkstemp(name);
    return fd >= 0 && unlink(name) == 0 && write(fd, name, sizeof name) == sizeof name && unsynced(fd) > 0
        && fsync(fd) == 0 && unsynced(fd) == 0;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    int fd = open(argv[1], O_RDONLY);
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    if (tells(argv[1])) {
        printf("%ld\n", unsynced(fd));
    } else {
        puts("unknown");
    }
    return 0;
}
