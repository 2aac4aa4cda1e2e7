"""`crowd.py COUNT`: COUNT processes that do nothing, until standard input ends."""
import os
import signal
import sys

children = []
for _ in range(int(sys.argv[1])):
    pid = os.fork()
    if pid == 0:
        os.close(0)
        signal.pause()
        os._exit(0)
    children.append(pid)
print('ready', flush=True)
sys.stdin.read()
for pid in children:
    os.kill(pid, signal.SIGKILL)
