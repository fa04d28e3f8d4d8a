"""A checkpoint that is always under way when Lockstep takes the write lock to finish its own, and ends a moment later.

A writer that checkpoints after each of its commits does so without the write lock, so it is often just at it. This program holds the same
lock, on byte 121 of the -shm file, until it sees the write lock (120) held, and for a few milliseconds more; and takes it again once
the write lock is free.

usage: checkpoint_in_the_way.py DATABASE; prints "in the way" when it is, and ends when its input does.
"""
import fcntl
import select
import sys
import time

WRITE, CHECKPOINT = 120, 121
MOMENT = 0.003


def lock(shm, byte):
    try:
        fcntl.lockf(shm, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        return True
    except OSError:
        return False


def unlock(shm, byte):
    fcntl.lockf(shm, fcntl.LOCK_UN, 1, byte)


def is_held(shm, byte):
    if lock(shm, byte):
        unlock(shm, byte)
        return False
    return True


def goes_on():
    return not select.select([sys.stdin], [], [], 0.001)[0]


def main(database):
    shm = open(database + "-shm", "r+b", buffering=0)
    while goes_on():
        while not lock(shm, CHECKPOINT) and goes_on():
            pass
        print("in the way", flush=True)
        while not is_held(shm, WRITE) and goes_on():
            pass
        time.sleep(MOMENT)
        unlock(shm, CHECKPOINT)
        while is_held(shm, WRITE) and goes_on():
            pass


main(sys.argv[1])
