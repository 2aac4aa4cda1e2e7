"""What the workload says it did, one JSON object a line: the second witness beside strace."""
import json
import os
import shutil
import subprocess
import threading


class Journal:
    def __init__(self, path):
        # Opened once and kept, so that writing the journal adds nothing but writes to what is observed.
        self.file = open(path, 'w', buffering=1)
        self.lock = threading.Lock()

    def note(self, kind, **facts):
        line = json.dumps({'kind': kind, **facts}, ensure_ascii=True)
        with self.lock:
            self.file.write(line + '\n')

    def opened(self, path, fd):
        self.note('open', tid=threading.get_native_id(), path=path, fd=fd)

    def connected(self, sock):
        here, there = sock.getsockname(), sock.getpeername()
        name = f'{here[0]}:{here[1]}->{there[0]}:{there[1]}'
        self.note('connect', tid=threading.get_native_id(), fd=sock.fileno(), name=name)

    def run(self, argv, cwd=None, uid=None, step='', expected=0, executable=None, **more):
        """Runs a program to its end and notes what /proc would have said of it."""
        child = subprocess.Popen(argv, cwd=cwd, user=uid, group=uid, executable=executable, stdin=subprocess.DEVNULL, **more)
        out, _ = child.communicate(timeout=60)
        exe = os.path.realpath(executable or shutil.which(argv[0]))
        self.note('process', step=step, pid=child.pid, argv=argv, cwd=os.path.realpath(cwd or os.getcwd()), uid=uid or os.getuid(), exe=exe, status=child.returncode)
        if expected is not None and child.returncode != expected:
            raise RuntimeError(f'{argv[:4]}: status {child.returncode}, expected {expected}')
        return out
