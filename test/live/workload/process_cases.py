"""Ways to start and end a process, one per run: process_cases.py CASE [ARGUMENT]. Used by process-probe.test.ts."""
import ctypes
import mmap
import os
import resource
import signal
import struct
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_CHILD_SUBREAPER = 36
MAP_32BIT = 0x40


def copy_of(program, path):
    with open(program, "rb") as source, open(path, "wb") as target:
        target.write(source.read())
    os.chmod(path, 0o755)
    return path


def code_page():
    """Memory below 4 GiB whose bytes can be run, and its address."""
    page = mmap.mmap(
        -1,
        4096,
        flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_32BIT,
        prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC,
    )
    return page, ctypes.addressof(ctypes.c_char.from_buffer(page))


def thread():
    other = threading.Thread(target=lambda: time.sleep(0.01))
    other.start()
    other.join()


def spawn():
    os.waitpid(os.posix_spawn("/bin/true", ["true", "x"], os.environ), 0)


def program(directory):
    """A program that differs from its parent in all that an exec tells, and stays to be looked at."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (321, 321))
    os.makedirs(directory, exist_ok=True)
    os.chmod(directory, 0o755)
    os.chdir(directory)
    os.setsid()
    os.setgroups([7])
    os.setgid(65533)
    os.setuid(65534)
    os.execve("/bin/sleep", ["sleep me", "60", "0"], {"KEY": "value", "OTHER": ""})


def memory():
    fd = os.memfd_create("payload", 0)
    with open("/bin/true", "rb") as source:
        os.write(fd, source.read())
    os.execve(fd, ["in memory", "a"], {})


def deleted(path):
    copy_of("/bin/true", path)
    fd = os.open(path, os.O_RDONLY)
    os.unlink(path)
    os.execve(fd, ["gone"], {})


def rooted(directory):
    os.chroot(directory)
    os.chdir("/")
    os.execv("/inner", ["inner"])


def deep(directory, depth):
    os.chdir(directory)
    for i in range(int(depth)):
        os.mkdir("d%d" % i)
        os.chdir("d%d" % i)
    copy_of("/bin/true", "t")
    os.execv("./t", ["t"])


def arguments(count, length):
    os.execv("/bin/true", ["true"] + [("%d" % i).ljust(int(length), "-") for i in range(int(count))])


def missing():
    try:
        os.execve("/nonexistent/prog", ["prog", "a b", "", "c"], {"E": "F"})
    except OSError:
        pass


def missing_at():
    directory = os.open("/", os.O_RDONLY)
    argv = (ctypes.c_char_p * 3)(b"zero", b"one", None)
    envp = (ctypes.c_char_p * 1)(None)
    # execveat; os.execve takes no directory.
    libc.syscall(322 if os.uname().machine == "x86_64" else 281, directory, b"nope", argv, envp, 0)


def fork32():
    """fork by the number and the instruction of 32-bit programs."""
    page, address = code_page()
    code = b"\xb8\x02\x00\x00\x00\xcd\x80\xc3"  # mov eax, 2; int 0x80; ret
    page[: len(code)] = code
    pid = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    if pid == 0:
        os._exit(7)
    os.waitpid(pid, 0)


def exec32(path):
    """execve with 32-bit pointers."""
    page, address = code_page()
    name = path.encode() + b"\0"
    page[256 : 256 + len(name)] = name
    page[512:520] = b"a0\0arg1\0"
    page[1024:1036] = struct.pack("<III", address + 512, address + 515, 0)
    # push rbx; mov eax, 11; mov ebx, path; mov ecx, argv; mov edx, 0; int 0x80; pop rbx; ret
    code = b"\x53\xb8\x0b\0\0\0\xbb" + struct.pack("<I", address + 256) + b"\xb9" + struct.pack("<I", address + 1024)
    code += b"\xba\0\0\0\0\xcd\x80\x5b\xc3"
    page[: len(code)] = code
    ctypes.CFUNCTYPE(ctypes.c_int)(address)()


def orphan(reaper):
    """A child that ends before its own child."""
    if reaper == "subreaper":
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(0.1)
            os._exit(3)
        os._exit(2)
    os.wait()
    time.sleep(0.15)


def exec_in_thread():
    other = threading.Thread(target=lambda: os.execv("/bin/true", ["true", "from thread"]))
    other.start()
    other.join()


def signalled():
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(5))
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1)


def killed():
    os.kill(os.getpid(), signal.SIGSEGV)


CASES = dict(globals())
CASES[sys.argv[1]](*sys.argv[2:])
