/*
 * A disk that fails: preloaded (LD_PRELOAD), fsync and fdatasync return EIO for files whose path contains FAILING_PATH, as long as
 * the file FAILING_WHILE exists.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int fd) {
    const char *part = getenv("FAILING_PATH"), *exists = getenv("FAILING_WHILE");
    char link[64], path[PATH_MAX];
    ssize_t length;
    if (part == NULL || exists == NULL || access(exists, F_OK) != 0) {
        return 0;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return 0;
    }
    path[length] = 0;
    return strstr(path, part) != NULL;
}

static int sync_unless_it_fails(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (real == NULL || fails(fd)) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int fsync(int fd) {
    return sync_unless_it_fails("fsync", fd);
}

int fdatasync(int fd) {
    return sync_unless_it_fails("fdatasync", fd);
}
