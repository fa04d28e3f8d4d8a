/*
 * A writer that does everything a program may do to a live SQLite database, as fast as it can, until its input ends.
 *
 * usage: hostile DATABASE SEED [option]...
 *   calm          no checkpoints of its own, no VACUUM, no closing: the WAL belongs to others. No savepoints either, so that all programs
 *                 may be killed at once: SQLite 3.40.1 leaves frames without checksum in the WAL after a ROLLBACK TO over spilled
 *                 pages, and when nobody is left who has the wal-index, the next one finds only what stands before them; if a
 *                 checkpoint went further, the database is damaged, with Lockstep or without
 *   pause=N       N us between transactions, so that a slow disk keeps up with what this program writes
 *   die=N         ends itself as kill -9 does at SQLite's Nth memory barrier on the wal-index; in a commit, one of them stands
 *                 between the two stores of the header
 *   count=N       ends after N transactions
 *
 * The tables are those of the Java tests' Workload: every committed state keeps its invariant. Prints the number of transactions it
 * committed. Any error but a checkpoint's SQLITE_BUSY ends it with a message and exit code 1; a busy timeout of a minute counts as an
 * error, since nothing may hold a lock that long.
 */
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCOUNTS 200
#define TIMEOUT_MS 60000

static const char *path;
static sqlite3 *db;
static uint64_t state;
static long committed;
static long barriers_left = -1;
static int calm;
static unsigned pause_us;

static unsigned rnd(unsigned below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

static void fail(const char *what) {
    printf("%s: %s (%d)\n", what, sqlite3_errmsg(db), sqlite3_extended_errcode(db));
    exit(1);
}

static void run(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail(sql);
    }
    sqlite3_free(sql);
}

/* The io methods of the database file, but for the barrier. */
static sqlite3_io_methods methods;
static void (*real_barrier)(sqlite3_file *);

static void counting_barrier(sqlite3_file *file) {
    real_barrier(file);
    if (--barriers_left == 0) {
        raise(SIGKILL);
    }
}

static void count_barriers(void) {
    sqlite3_file *file;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) {
        fail("file pointer");
    }
    methods = *file->pMethods;
    real_barrier = methods.xShmBarrier;
    methods.xShmBarrier = counting_barrier;
    file->pMethods = &methods;
}

static void open_database(void) {
    if (sqlite3_open(path, &db) != SQLITE_OK) {
        fail("open");
    }
    sqlite3_busy_timeout(db, TIMEOUT_MS);
    run("PRAGMA cache_size=%d", rnd(2) ? 10 : 2000);
    run("PRAGMA synchronous=%s", rnd(2) ? "OFF" : "NORMAL");
    run("PRAGMA wal_autocheckpoint=%d", calm ? 0 : (int[]){0, 1, 50, 1000}[rnd(4)]);
    run("SELECT n FROM counter");
    if (barriers_left > 0) {
        count_barriers();
    }
}

static void close_database(void) {
    if (sqlite3_close(db) != SQLITE_OK) {
        fail("close");
    }
}

static void transfer(void) {
    unsigned amount = rnd(50);
    run("UPDATE account SET balance = balance - %u WHERE id = %u", amount, 1 + rnd(ACCOUNTS));
    run("UPDATE account SET balance = balance + %u WHERE id = %u", amount, 1 + rnd(ACCOUNTS));
    run("UPDATE counter SET n = n + 1");
    run("INSERT INTO history SELECT n FROM counter");
    run("DELETE FROM history WHERE n < (SELECT n FROM counter) - 100");
}

static void junk(unsigned rows, unsigned bytes) {
    run("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < %u)"
        " INSERT INTO junk (data) SELECT randomblob(%u) FROM i",
        rows, 1 + rnd(bytes));
}

/* So many changed pages that a small cache spills them into the WAL before the commit. */
static void change_much(void) {
    junk(50 + rnd(200), 3000);
    run("UPDATE junk SET data = randomblob(length(data)) WHERE id %% 2 = %u", rnd(2));
    run("UPDATE account SET pad = randomblob(%u)", rnd(500));
}

/* Breaks the invariant: only ever rolled back. */
static void spoil(void) {
    run("UPDATE account SET balance = balance + 1");
    run("DELETE FROM history");
    change_much();
}

static void write_transaction(void) {
    unsigned kind = rnd(100);
    run("BEGIN IMMEDIATE");
    if (kind < 8) {
        spoil();
        run("ROLLBACK");
        return;
    }
    transfer();
    if (kind < 16 && !calm) {
        run("SAVEPOINT a");
        spoil();
        run("SAVEPOINT b");
        junk(10, 2000);
        run("RELEASE b");
        run("ROLLBACK TO a");
        if (rnd(2)) {
            transfer();
        }
    } else if (kind < 22) {
        change_much();
    } else if (kind < 30) {
        junk(1, 300000);
    } else if (kind < 40) {
        run("DELETE FROM junk WHERE id %% 3 = %u", rnd(3));
    } else if (kind < 45) {
        run("DELETE FROM junk");
        run("PRAGMA incremental_vacuum");
    } else if (kind < 48) {
        run("DROP TABLE IF EXISTS extra");
        run("CREATE TABLE extra AS SELECT id, pad FROM account");
        run("CREATE INDEX extra_pad ON extra (pad)");
    }
    run("COMMIT");
    committed++;
}

static void checkpoint(void) {
    int modes[] = {SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_FULL, SQLITE_CHECKPOINT_RESTART, SQLITE_CHECKPOINT_TRUNCATE};
    int code = sqlite3_wal_checkpoint_v2(db, NULL, modes[rnd(4)], NULL, NULL);
    if (code != SQLITE_OK && code != SQLITE_BUSY) {
        fail("checkpoint");
    }
}

/* A read transaction that stands while others write. */
static void read_for_a_while(void) {
    run("BEGIN");
    run("SELECT sum(balance) FROM account");
    sqlite3_sleep(1 + rnd(20));
    run("COMMIT");
}

static void be_hostile(void) {
    switch (rnd(60)) {
        case 0: case 1: case 2: case 3: case 4: case 5:
            checkpoint();
            break;
        case 6:
            run("VACUUM");
            break;
        case 7:
            close_database();
            open_database();
            break;
        case 8:
            run("PRAGMA wal_autocheckpoint=%d", (int[]){0, 1, 50, 1000}[rnd(4)]);
            break;
        case 9:
            read_for_a_while();
            break;
        default:
            break;
    }
}

static int input_ended(void) {
    struct pollfd in = {.fd = 0, .events = POLLIN};
    char c;
    return poll(&in, 1, 0) > 0 && read(0, &c, 1) <= 0;
}

int main(int argc, char **argv) {
    long count = -1;
    path = argv[1];
    state = strtoull(argv[2], NULL, 10);
    for (int i = 3; i < argc; i++) {
        if (!strcmp(argv[i], "calm")) {
            calm = 1;
        } else if (!strncmp(argv[i], "pause=", 6)) {
            pause_us = (unsigned)atol(argv[i] + 6);
        } else if (!strncmp(argv[i], "die=", 4)) {
            barriers_left = atol(argv[i] + 4);
        } else if (!strncmp(argv[i], "count=", 6)) {
            count = atol(argv[i] + 6);
        } else {
            printf("unknown option %s\n", argv[i]);
            return 2;
        }
    }
    open_database();
    while (committed != count && !input_ended()) {
        write_transaction();
        if (!calm) {
            be_hostile();
        }
        usleep(pause_us);
    }
    close_database();
    printf("%ld\n", committed);
    return 0;
}
