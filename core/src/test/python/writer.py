"""Writes through Python's sqlite3 module, opening the database anew from time to time, until its input ends.

usage: writer.py DATABASE SEED [PAUSE], with PAUSE microseconds between transactions; prints the number of transactions it committed. The tables are those of the Java tests' Workload.
"""
import random
import select
import sqlite3
import sys
import time

ACCOUNTS = 200


def transfer(connection, rnd):
    amount = rnd.randrange(50)
    connection.executemany(
        "UPDATE account SET balance = balance + ? WHERE id = ?",
        [(-amount, rnd.randint(1, ACCOUNTS)), (amount, rnd.randint(1, ACCOUNTS))])
    connection.execute("UPDATE counter SET n = n + 1")
    connection.execute("INSERT INTO history SELECT n FROM counter")
    connection.execute("DELETE FROM history WHERE n < (SELECT n FROM counter) - 100")


def transaction(connection, rnd):
    """Returns 1, or 0 for the fifth that is rolled back."""
    connection.execute("BEGIN IMMEDIATE")
    transfer(connection, rnd)
    if rnd.random() < 0.3:
        blobs = [(rnd.randbytes(rnd.randrange(9000)),) for _ in range(rnd.randrange(20))]
        connection.executemany("INSERT INTO junk (data) VALUES (?)", blobs)
    if rnd.random() < 0.1:
        connection.execute("DELETE FROM junk WHERE id % 4 = ?", (rnd.randrange(4),))
    if rnd.random() < 0.2:
        connection.rollback()
        return 0
    connection.commit()
    return 1


def input_ended():
    return bool(select.select([sys.stdin], [], [], 0)[0]) and not sys.stdin.buffer.read(1)


def main(database, seed, pause):
    rnd = random.Random(seed)
    committed = 0
    while not input_ended():
        connection = sqlite3.connect(database, timeout=60, isolation_level=None)
        for _ in range(rnd.randint(1, 60)):
            committed += transaction(connection, rnd)
            time.sleep(pause / 1e6)
            if rnd.random() < 0.1:
                connection.execute(
                    "PRAGMA wal_checkpoint(" + rnd.choice(["PASSIVE", "FULL", "RESTART", "TRUNCATE"]) + ")").fetchall()
        connection.close()
    print(committed)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
