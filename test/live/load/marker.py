"""`marker.py INTERVAL_MS COUNT`: closes fd 77777, which is not open, every so often."""
import os
import sys
import time

interval, count = float(sys.argv[1]) / 1000, int(sys.argv[2])
print('ready', flush=True)
sys.stdin.readline()
for _ in range(count):
    try:
        os.close(77777)
    except OSError:
        pass
    time.sleep(interval)
print(count, flush=True)
