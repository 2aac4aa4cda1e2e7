"""`busy_state.py`: processes and threads that change their state all the time, beside some that hold still.

Prints `ready` when it runs; ends when standard input ends.
"""
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

STILL, RESTLESS, THREADS = 12, 8, 3
folder = tempfile.mkdtemp(prefix='strata-state-')
children = []


def hold_still(number):
    """Keeps one fd of every kind, some other user, some other folder."""
    place = os.path.join(folder, f'still {number}')
    os.mkdir(place)
    os.chdir(place)
    kept = [open('held', 'w'), socket.socketpair(), os.pipe(), os.eventfd(0), os.memfd_create('held'), os.open('/', os.O_RDONLY), os.pidfd_open(os.getpid())]
    server = socket.create_server(('127.0.0.1', 0))
    client = socket.create_connection(server.getsockname())
    kept += [server, client, server.accept(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM), os.dup(client.fileno())]
    import select
    kept.append(select.epoll())
    os.unlink('held') if number % 3 == 0 else None
    if number % 2:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    signal.pause()
    return kept


def restless(number):
    """Opens, closes, moves and forks, ten times a second or so, in several threads."""
    def work():
        chance = random.Random(number)
        fds = []
        while True:
            choice = chance.randrange(6)
            if choice < 3:
                fds.append(os.open(chance.choice(['/dev/null', '/etc/hostname', '/usr']), os.O_RDONLY))
            elif choice == 3 and fds:
                os.close(fds.pop())
            elif choice == 4:
                subprocess.run(['sleep', '0.05'], check=False)
            while len(fds) > 20:
                os.close(fds.pop(0))
            os.chdir(chance.choice(['/', '/usr', '/tmp']))
            time.sleep(chance.random() / 5)

    for _ in range(THREADS):
        threading.Thread(target=work, daemon=True).start()
    signal.pause()


def start(function, number):
    pid = os.fork()
    if pid == 0:
        try:
            function(number)
        finally:
            os._exit(1)
    children.append(pid)


for number in range(STILL):
    start(hold_still, number)
for number in range(RESTLESS):
    start(restless, number)
sleeper = subprocess.Popen(['sleep', '1000'], stderr=subprocess.DEVNULL)
time.sleep(0.5)
print('ready', flush=True)
sys.stdin.read()
for pid in [*children, sleeper.pid]:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
subprocess.run(['rm', '-rf', folder], check=False)
