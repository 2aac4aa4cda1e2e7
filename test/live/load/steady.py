"""`steady.py RATE SECONDS`: opens and closes /dev/null RATE/2 times a second; prints how many calls it made.

Waits for a line on standard input first, so that who watches can be ready.
"""
import os
import sys
import time

rate, seconds = int(sys.argv[1]), float(sys.argv[2])
print('ready', flush=True)
sys.stdin.readline()
pairs = 0
start = time.monotonic()
while True:
    now = time.monotonic() - start
    if now >= seconds:
        break
    due = int(now * rate / 2)
    while pairs < due:
        os.close(os.open('/dev/null', os.O_RDONLY))
        pairs += 1
    time.sleep(0.001)
while pairs < int(seconds * rate / 2):
    os.close(os.open('/dev/null', os.O_RDONLY))
    pairs += 1
print(pairs * 2, flush=True)
