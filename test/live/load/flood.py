"""`flood.py PROCESSES CALLS`: every process makes CALLS failing close calls as fast as it can."""
import os
import sys

processes, calls = int(sys.argv[1]), int(sys.argv[2])
print('ready', flush=True)
sys.stdin.readline()
for _ in range(processes):
    if os.fork() == 0:
        for _ in range(calls):
            try:
                os.close(9999)
            except OSError:
                pass
        os._exit(0)
for _ in range(processes):
    os.wait()
print(processes * calls, flush=True)
