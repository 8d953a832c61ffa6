#!/usr/bin/env python3
"""Says when the machine itself stands still: a thread a core, before all other work, that wants to sleep a millisecond.

A line each time one of them sleeps more than 2 ms too long: the moment of `time.monotonic()`, and by how much, seconds.
"""
import os
import threading
import time

LATE = 0.002


def watch(core):
    os.sched_setaffinity(0, {core})
    while True:
        began = time.monotonic()
        time.sleep(0.001)
        now = time.monotonic()
        if now - began - 0.001 > LATE:
            # A line at once, whoever else writes.
            os.write(1, f"{now:.4f} {now - began - 0.001:.4f}\n".encode())


for core in os.sched_getaffinity(0):
    threading.Thread(target=watch, args=(core,)).start()
