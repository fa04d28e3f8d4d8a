"""A FULL checkpoint at its unluckiest moment: waits for a read slot that capture's pin sits on.

SQLite's checkpoint reads the mark of a read slot, finds it old, and then waits until it gets the slot. When a reader of the newest
state takes the slot between these two steps, the checkpoint waits for a reader that is in nobody's way. This program does as
SQLite does then, with the same locks: it holds the checkpoint lock (byte 121 of the -shm file), commits, takes the write lock (120),
finds the slot (124-127) somebody reads on, and tries every 100 ms to lock it.

usage: waiting_checkpoint.py DATABASE SECONDS; prints "got the slot" or "gave up", or what was not as expected.
"""
import fcntl
import sqlite3
import sys
import time

WRITE, CHECKPOINT, SLOTS = 120, 121, range(124, 128)


def lock(shm, byte):
    try:
        fcntl.lockf(shm, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        return True
    except OSError:
        return False


def lock_until(shm, byte, deadline):
    while not lock(shm, byte):
        if time.monotonic() > deadline:
            sys.exit(f"byte {byte} stays locked")
        time.sleep(0.001)


def slot_in_use(shm, deadline):
    while time.monotonic() < deadline:
        for slot in SLOTS:
            if not lock(shm, slot):
                return slot
            fcntl.lockf(shm, fcntl.LOCK_UN, 1, slot)
    sys.exit("nobody reads on any slot")


def main(database, seconds):
    deadline = time.monotonic() + seconds
    connection = sqlite3.connect(database, timeout=seconds, isolation_level=None)
    connection.execute("SELECT * FROM t").fetchall()
    shm = open(database + "-shm", "r+b", buffering=0)
    lock_until(shm, CHECKPOINT, deadline)
    connection.execute("INSERT INTO t(v) VALUES ('seen by a new pin, and not copied')")
    lock_until(shm, WRITE, deadline)
    slot = slot_in_use(shm, deadline)
    while time.monotonic() < deadline:
        if lock(shm, slot):
            print("got the slot")
            return
        time.sleep(0.1)
    print("gave up")


main(sys.argv[1], float(sys.argv[2]))
