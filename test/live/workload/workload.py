"""The scripted workload: `workload.py FOLDER JOURNAL NODE [STEP...]`, as root. Leaves nothing behind but what is in FOLDER."""
import ctypes
import errno
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from failing_calls import IS_ARM, make_failing_calls
from journal import Journal
from tiny_elf import write_tiny_elf

HERE = os.path.dirname(os.path.abspath(__file__))
NOBODY = 65534


def shell_pipelines(journal, folder, node):
    journal.run(['bash', os.path.join(HERE, 'pipelines.sh')], cwd=folder)


def git_repository(journal, folder, node):
    os.environ.update(GIT_CONFIG_GLOBAL='/dev/null', GIT_CONFIG_SYSTEM='/dev/null')
    who = ['-c', 'user.name=Some One', '-c', 'user.email=one@example.org']
    journal.run(['git', 'init', '-q', 'repository'], cwd=folder)
    place = os.path.join(folder, 'repository')
    with open(os.path.join(place, 'file.txt'), 'w') as file:
        file.write('text\n')
    journal.run(['git', 'add', 'file.txt'], cwd=place)
    journal.run(['git', *who, 'commit', '-q', '-m', 'first'], cwd=place)
    journal.run(['git', 'log', '--oneline', '-1'], cwd=place, stdout=subprocess.DEVNULL)
    journal.run(['git', 'status', '-s'], cwd=os.path.join(place, '.git', '..'), stdout=subprocess.DEVNULL)


def threads_and_sockets(journal, folder, node):
    listener = socket.create_server(('127.0.0.1', 0))

    def serve():
        peer, _ = listener.accept()
        with peer:
            peer.sendall(peer.recv(100).upper())

    def ask():
        with socket.create_connection(listener.getsockname()) as client:
            journal.connected(client)
            client.sendall(b'question')
            client.recv(100)

    threads = [threading.Thread(target=serve), threading.Thread(target=ask)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listener.close()
    refused = socket.socket()
    refused.connect_ex(('127.0.0.1', 1))
    refused.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
        one.bind(('127.0.0.1', 0))
        one.sendto(b'datagram', one.getsockname())
        one.recvfrom(100)
        six.bind(('::1', 0))
        six.connect(six.getsockname()[:2])
        six.send(b'self')
        six.recv(10)


def unix_sockets(journal, folder, node):
    path = os.path.join(folder, 'unix.sock')
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    server, _ = listener.accept()
    fd = os.open('/etc/hostname', os.O_RDONLY)
    journal.opened('/etc/hostname', fd)
    socket.send_fds(client, [b'one file'], [fd])
    _, fds, _, _ = socket.recv_fds(server, 100, 4)
    os.read(fds[0], 100)
    left, right = socket.socketpair()
    left.send(b'x')
    right.recv(1)
    missing = socket.socket(socket.AF_UNIX)
    missing.connect_ex(os.path.join(folder, 'nobody-listens.sock'))
    abstract = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    abstract.bind(b'\0strata-workload-%d' % os.getpid())
    for each in (listener, client, server, left, right, missing, abstract):
        each.close()
    os.close(fd)
    os.close(fds[0])


def node_and_curl(journal, folder, node):
    server = subprocess.Popen([node, os.path.join(HERE, 'http-server.mjs')], stdout=subprocess.PIPE, cwd='/')
    port = int(server.stdout.readline())
    for path in ('', 'again', 'stop'):
        journal.run(['curl', '-s', '-o', '/dev/null', f'http://127.0.0.1:{port}/{path}'], cwd=folder)
    server.wait()
    journal.note('process', step='node', pid=server.pid, argv=[node, os.path.join(HERE, 'http-server.mjs')], cwd='/', uid=0, exe=os.path.realpath(node), status=server.returncode)


def users(journal, folder, node):
    etc = os.path.join(folder, 'prefix', 'etc')
    os.makedirs(etc)
    for name in ('passwd', 'shadow', 'group', 'gshadow'):
        open(os.path.join(etc, name), 'w').close()
    prefix = os.path.join(folder, 'prefix')
    journal.run(['useradd', '--prefix', prefix, '-M', '-U', 'somebody'])
    journal.run(['userdel', '--prefix', prefix, 'somebody'], expected=None)
    journal.run(['id'], uid=NOBODY, cwd='/', stdout=subprocess.DEVNULL)


def namespaces(journal, folder, node):
    root = os.path.join(folder, 'root')
    os.mkdir(root)
    script = f'mount --bind / {root} && chroot {root} /bin/sh -c "cd /usr && cat /etc/hostname" && umount {root}'
    journal.run(['unshare', '-m', 'sh', '-c', script], stdout=subprocess.DEVNULL)
    journal.run(['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c', 'sh -c "echo $$; ls /proc/self/fd"; true'], stdout=subprocess.DEVNULL)
    journal.run(['unshare', '--net', '--uts', '--ipc', 'cat', '/proc/net/dev'], stdout=subprocess.DEVNULL)
    journal.run(['unshare', '--user', '--map-root-user', 'id', '-u'], stdout=subprocess.DEVNULL)


def keys(journal, folder, node):
    journal.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', os.path.join(folder, 'key')])


def failing_calls(journal, folder, node):
    make_failing_calls(journal)
    for path in ('/no/such/program', '/etc', '/etc/hostname'):
        try:
            subprocess.run([path], check=False)
        except OSError as error:
            journal.note('failed-exec', path=path, errno=error.errno)


def long_arguments(journal, folder, node):
    journal.run(['true', *['a%06d' % i + 'x' * 100_000 for i in range(10)]])
    journal.run(['true', *['item%d' % i for i in range(20_000)]])
    journal.run(['true', '', 'two words', 'line\nbreak', 'tab\t', 'q"uote', "it's"])


def deep_folders(journal, folder, node):
    """A path below PATH_MAX, and one that no single call can name."""
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        for level in range(40):
            name = f'level-{level:02d}-' + 'd' * 91
            os.mkdir(name)
            os.chdir(name)
            if level == 30:
                journal.run(['true', 'below the limit'])
                os.close(os.open('file', os.O_CREAT | os.O_WRONLY, 0o640))
        try:
            os.getcwd()
        except OSError:
            pass
        subprocess.run(['true', 'beyond the limit'], check=False)
        os._exit(0)
    os.waitpid(child, 0)


def vanished_programs(journal, folder, node):
    copy = os.path.join(folder, 'vanishing')
    shutil.copy('/bin/sleep', copy)
    child = subprocess.Popen([copy, '0.2'])
    os.unlink(copy)
    child.wait()
    shutil.copy('/bin/true', copy)
    fd = os.open(copy, os.O_RDONLY)
    os.unlink(copy)
    _fexec(fd, ['unlinked-program', 'argument'])
    memory = os.memfd_create('program-in-memory', 0)
    with open('/bin/true', 'rb') as file:
        os.write(memory, file.read())
    _fexec(memory, ['memfd-program', 'argument'])
    os.close(fd)
    os.close(memory)


def threaded_exec(journal, folder, node):
    """execve by a thread that is not the main one: it goes on under the number of the main one."""
    child = os.fork()
    if child == 0:
        threading.Thread(target=lambda: os.execv('/bin/true', ['true', 'from a thread'])).start()
        time.sleep(10)
    os.waitpid(child, 0)
    journal.note('process', step='threaded_exec', pid=child, argv=['true', 'from a thread'], cwd=os.getcwd(), uid=0, exe=os.path.realpath('/bin/true'), status=0)


def _fexec(fd, argv):
    child = os.fork()
    if child == 0:
        os.execve(fd, argv, {})
    os.waitpid(child, 0)


def compat_calls(journal, folder, node):
    if IS_ARM:
        return
    for bits in (32, 64):
        path = os.path.join(folder, f'tiny{bits}')
        write_tiny_elf(path, bits, '/etc/hostname', '/no/such/file', os.path.join(folder, f'made-by-{bits}'))
        try:
            journal.run([path, 'argument'], expected=7, executable=path)
        except OSError as error:
            # No 32-bit emulation in this kernel.
            if error.errno != errno.ENOEXEC:
                raise


def signals(journal, folder, node):
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(0.1)
    reader, writer = os.pipe()
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    select.select([reader], [], [], 0.1)
    os.close(reader)
    os.close(writer)
    for number in (signal.SIGKILL, signal.SIGTERM):
        child = subprocess.Popen(['sleep', '10'])
        child.send_signal(number)
        child.wait()
    child = os.fork()
    if child == 0:
        import resource
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        ctypes.string_at(8)
    os.waitpid(child, 0)


def credentials(journal, folder, node):
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        journal.note('credentials', tid=os.getpid(), uid=NOBODY, gid=NOBODY)
        try:
            os.open('/etc/shadow', os.O_RDONLY)
        except PermissionError:
            pass
        try:
            os.setuid(0)
        except PermissionError:
            pass
        os._exit(0)
    os.waitpid(child, 0)


def file_changes(journal, folder, node):
    place = os.path.join(folder, 'changes')
    os.mkdir(place, 0o700)
    here = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    fd = os.open('a', os.O_CREAT | os.O_RDWR | os.O_EXCL | os.O_APPEND, 0o604, dir_fd=here)
    os.write(fd, b'x' * 1000)
    os.ftruncate(fd, 10)
    os.fchmod(fd, 0o4711)
    os.fchown(fd, 1, 2)
    os.close(os.dup(fd))
    os.close(fd)
    os.link('a', 'b', src_dir_fd=here, dst_dir_fd=here)
    os.symlink('b', 'c', dir_fd=here)
    os.rename('b', 'd', src_dir_fd=here, dst_dir_fd=here)
    os.rename(os.path.join(place, 'd'), os.path.join(place, 'e'))
    os.mkdir('folder', dir_fd=here)
    os.rmdir('folder', dir_fd=here)
    os.chmod(os.path.join(place, 'e'), 0o600)
    os.chown(os.path.join(place, 'c'), 3, 4, follow_symlinks=False)
    os.mkfifo(os.path.join(place, 'fifo'))
    os.unlink('e', dir_fd=here)
    os.unlink(os.path.join(place, 'a'))
    odd = os.path.join(place.encode(), b'not utf-8 \xff\xfe \n line')
    os.close(os.open(odd, os.O_CREAT | os.O_WRONLY, 0o600))
    child = os.fork()
    if child == 0:
        os.chdir(place)
        os.fchdir(os.open('/usr', os.O_RDONLY))
        os.chdir('lib/..')
        journal.run(['true', 'after changes of folder'])
        os._exit(0)
    os.waitpid(child, 0)
    os.close(here)


STEPS = [shell_pipelines, git_repository, threads_and_sockets, unix_sockets, node_and_curl, users, namespaces, keys,
         failing_calls, long_arguments, deep_folders, vanished_programs, threaded_exec, compat_calls, signals, credentials, file_changes]


def main():
    folder, journal_path, node, *names = sys.argv[1:]
    journal = Journal(journal_path)
    for step in STEPS:
        if names and step.__name__ not in names:
            continue
        step(journal, folder, node)
        journal.note('step', name=step.__name__)
    journal.note('done')


main()
