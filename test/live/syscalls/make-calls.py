"""Makes system calls directly and tells what the capture of them must hold: one JSON object per call on standard output.

Arguments: two JSON objects with numbers by name, the native ones and those of 32-bit x86. Native calls of other architectures are left out. Expected values are those of
the event schema; {"mask": m, "value": v} compares some bits only, {"any": true} nothing but that there is a value.
"""
import ctypes
import errno
import json
import os
import resource
import socket
import struct
import sys
import tempfile
import time

NUMBERS = json.loads(sys.argv[1])
# Of 32-bit x86; empty: this kernel does not run such programs.
NUMBERS_32 = json.loads(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
made = []
ANY = {"any": True}
AT_FDCWD = -100
LAYERS = 0x18000  # of the schema's open flags: depends on the file system


def c_argument(value):
    if isinstance(value, int):
        return ctypes.c_long(value if value < 1 << 63 else value - (1 << 64))
    if isinstance(value, str):
        return ctypes.c_char_p(value.encode())
    if value is None:
        return ctypes.c_void_p(0)
    return ctypes.byref(value) if isinstance(value, ctypes.Structure) else value


def call(name, /, *args, **expected):
    """Expected parameters by name; `res` names the one that holds the result."""
    if name not in NUMBERS:
        return -errno.ENOSYS
    res_name = expected.pop("res_name", "res")
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(NUMBERS[name]), *[c_argument(a) for a in args])
    if result == -1 and ctypes.get_errno():
        result = -ctypes.get_errno()
    if res_name:
        expected[res_name] = result
    made.append({"call": name, "params": expected})
    return result


def expect(**params):
    """Adds what is known only after the call."""
    if made:
        made[-1]["params"].update(params)


def bits(value, mask=0xFFFFFFFF & ~LAYERS):
    return {"mask": mask, "value": value}


def identity(path):
    status = os.stat(path)
    return status.st_dev & 0xFFFFFFFF, status.st_ino


class Calls32:
    """Calls of 32-bit x86 made by this 64-bit process: int 0x80 with pointers below 4 GiB."""

    # push rbx; eax..edi from the C arguments; int 0x80; cdqe; pop rbx; ret
    CODE = bytes.fromhex("5389f889f34989ca89d14489d24489c64489cfcd8048985bc3")
    BYTES = 65536

    def __init__(self):
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
        self.base = libc.mmap(0, self.BYTES, 7, 0x62, -1, 0)
        ctypes.memmove(self.base, self.CODE, len(self.CODE))
        self.used = 64
        self.run = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_long] * 6)(self.base)

    def place(self, data):
        address = self.base + self.used
        ctypes.memmove(address, data, len(data))
        self.used += (len(data) + 15) & ~15
        return address

    def call(self, name, /, *args, row=None, **expected):
        res_name = expected.pop("res_name", "res")
        values = [self.place(a.encode() + b"\0") if isinstance(a, str) else self.place(a) if isinstance(a, bytes) else a for a in args]
        result = self.run(NUMBERS_32[name], *(values + [0] * (5 - len(values))))
        if res_name:
            expected[res_name] = result
        made.append({"call": row or name, "params": expected})
        return result


def compat(folder):
    calls = Calls32()
    path = folder + "/file32"
    fd = calls.call("open", path, os.O_RDWR | os.O_CREAT, 0o640, name=path, mode=0o640, flags=bits(0x4007), res_name="fd")
    calls.call("openat", 0xFFFFFF9C, path, os.O_RDONLY, 0, dirfd=AT_FDCWD, name=path, flags=bits(1), res_name="fd")
    calls.call("stat64", path, bytes(128), path=path)
    calls.call("fcntl64", fd, 1030, 70, row="fcntl", fd=fd, cmd=26, arg=70)
    calls.call("_llseek", fd, 0, 4096, bytes(8), 0, fd=fd, offset=4096, whence=0)
    calls.call("mmap2", 0, 4096, 1, 0x22, 0xFFFFFFFF, addr=0, length=4096, prot=1, flags=0xA, fd=-1, res_name=None)
    calls.call("umount", folder + "/missing", name=folder + "/missing")
    calls.call("getuid32", row="getuid", res_name="uid")
    calls.call("setresuid32", 0, 0, 0, row="setresuid", ruid=0, euid=0, suid=0)
    calls.call("nanosleep", struct.pack("<ii", 0, 2345678), 0, interval=2345678)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    calls.call("ugetrlimit", 7, bytes(8), row="getrlimit", cur=soft, max=hard, resource=7)
    calls.call("unlinkat", 0xFFFFFF9C, path, 0, dirfd=AT_FDCWD, name=path, flags=0)
    pair = socket.socketpair()
    first, second = pair[0].fileno(), pair[1].fileno()
    arguments = struct.pack("<iIII", first, calls.place(b"through"), 7, 0)
    calls.call("socketcall", 9, arguments, row="send", fd=first, data="through", size=7)
    calls.call("socketcall", 10, struct.pack("<iIII", second, calls.place(bytes(16)), 16, 0), row="recv", fd=second, data="through", size=16)
    calls.call("socketcall", 13, struct.pack("<ii", first, 2), row="shutdown", fd=first, how=2)
    calls.call("kill", os.getpid(), 0, pid=os.getpid(), sig=0)


def files(folder):
    path = folder + "/file"
    fd = call("open", path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640, name=path, mode=0o640, flags=bits(0x5007), res_name="fd")
    if fd >= 0:
        expect(dev=identity(path)[0], ino=identity(path)[1])
    fd2 = call("openat", AT_FDCWD, path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600, dirfd=AT_FDCWD, name=path, mode=0o600,
               flags=bits(0x106 if fd >= 0 else 0x4106), res_name="fd")
    expect(dev=identity(path)[0], ino=identity(path)[1])
    call("openat", AT_FDCWD, folder, os.O_RDONLY | os.O_DIRECTORY, 0, name=folder, mode=0, flags=bits(0x2401), res_name="fd")
    call("openat", AT_FDCWD, folder + "/missing", os.O_RDONLY, 0, name=folder + "/missing", flags=1, dev=0, ino=0, res_name="fd")
    how = (ctypes.c_uint64 * 3)(os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o711, 0xC)
    dirfd = os.open(folder, os.O_RDONLY)
    call("openat2", dirfd, "fresh", how, 24, dirfd=dirfd, name="fresh", flags=bits(0x4027), mode=0o711, resolve=9, res_name="fd")
    expect(dev=identity(folder + "/fresh")[0], ino=identity(folder + "/fresh")[1])
    call("creat", folder + "/created", 0o604, name=folder + "/created", mode=0o604, res_name="fd")
    # A file handle: its bytes follow two words of length and type.
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    mount_id = ctypes.c_int(0)
    if libc.name_to_handle_at(AT_FDCWD, path.encode(), handle, ctypes.byref(mount_id), 0) == 0:
        opened = call("open_by_handle_at", dirfd, handle, os.O_RDONLY, mountfd=dirfd, flags=bits(1), res_name="fd")
        if opened >= 0:
            expect(path=path, ino=identity(path)[1])
    call("dup", fd2, oldfd=fd2)
    call("dup2", fd2, 90, oldfd=fd2, newfd=90)
    call("dup3", fd2, 91, os.O_CLOEXEC, oldfd=fd2, newfd=91, flags=0x1000)
    call("fcntl", fd2, 1030, 92, fd=fd2, cmd=26, arg=92)
    call("fcntl", fd2, 3, 0, fd=fd2, cmd=4, arg=0)
    call("flock", fd2, 2 | 4, fd=fd2, operation=6)
    call("ioctl", fd2, 0x5401, 0, fd=fd2, request=0x5401, argument=0)
    call("lseek", fd2, 12345678901, 0, fd=fd2, offset=12345678901, whence=0)
    call("lseek", fd2, 0, 2, fd=fd2, offset=0, whence=2)
    call("close", 92, fd=92)
    call("close_range", 90, 91, 4, first=90, last=91, flags=4)
    call("access", path, 6, name=path, mode=6)
    call("stat", path, ctypes.create_string_buffer(256), path=path)
    call("lstat", path + "x", ctypes.create_string_buffer(256), path=path + "x")
    call("fstat", fd2, ctypes.create_string_buffer(256), fd=fd2)
    call("newfstatat", dirfd, "file", ctypes.create_string_buffer(256), 0x100, dirfd=dirfd, path="file", flags=0x100)
    call("getdents", dirfd, ctypes.create_string_buffer(1024), 1024, fd=dirfd)
    call("getdents64", dirfd, ctypes.create_string_buffer(1024), 1024, fd=dirfd)
    call("chdir", folder, path=folder)
    call("getcwd", ctypes.create_string_buffer(4096), 4096, path=os.path.realpath(folder))
    call("getcwd", ctypes.create_string_buffer(2), 2, path=None)
    call("fchdir", dirfd, fd=dirfd)
    call("chroot", folder + "/missing", path=folder + "/missing")
    call("mkdir", "a", 0o755, path="a", mode=0o755)
    call("mkdirat", dirfd, "b", 0o711, dirfd=dirfd, path="b", mode=0o711)
    call("rmdir", "a", path="a")
    call("link", "file", "file2", oldpath="file", newpath="file2")
    call("linkat", dirfd, "file", dirfd, "file3", 0x400, olddir=dirfd, oldpath="file", newdir=dirfd, newpath="file3", flags=0x400)
    call("symlink", "/nowhere", "soft", target="/nowhere", linkpath="soft")
    call("symlinkat", "/nowhere", dirfd, "soft2", target="/nowhere", linkdirfd=dirfd, linkpath="soft2")
    call("rename", "file3", "file4", oldpath="file3", newpath="file4")
    call("renameat", dirfd, "file4", dirfd, "file5", olddirfd=dirfd, oldpath="file4", newdirfd=dirfd, newpath="file5")
    call("renameat2", dirfd, "file5", dirfd, "file6", 1, olddirfd=dirfd, oldpath="file5", newdirfd=dirfd, newpath="file6", flags=1)
    call("chmod", "file", 0o4751, filename="file", mode=0o4751)
    call("fchmod", fd2, 0o600, fd=fd2, mode=0o600)
    call("fchmodat", dirfd, "file", 0o640, dirfd=dirfd, filename="file", mode=0o640)
    call("chown", "file", 12, 34, path="file", uid=12, gid=34)
    call("fchown", fd2, 0xFFFFFFFF, 35, fd=fd2, uid=0xFFFFFFFF, gid=35)
    call("lchown", "soft", 13, 36, path="soft", uid=13, gid=36)
    call("fchownat", dirfd, "soft", 14, 37, 0x100, dirfd=dirfd, pathname="soft", uid=14, gid=37, flags=0x400)
    call("mknod", "fifo", 0o10644, 0, path="fifo", mode=0x1000 | 0o644, dev=0)
    call("mknodat", dirfd, "fifo2", 0o10600, 0, dirfd=dirfd, path="fifo2", mode=0x1000 | 0o600, dev=0)
    call("unlink", "fifo", path="fifo")
    call("unlinkat", dirfd, "b", 0x200, dirfd=dirfd, name="b", flags=0x200)
    call("mount", "none", "missing", "tmpfs", 0xC0ED0006, "size=1k", dev="none", dir="missing", type="tmpfs", flags=6)
    call("umount2", "missing", 10, name="missing", flags=10)
    call("quotactl", 0x80000700, "/dev/missing", 1000, None, special="/dev/missing", quotafilepath=None, cmd=0x20, type=1, id=1000,
         quota_fmt=1, quota_fmt_out=1, dqb_bhardlimit=0)
    call("quotactl", 0x80000201, "/dev/missing", 2, "quota.file", special="/dev/missing", quotafilepath="quota.file", cmd=1, type=2, id=0,
         quota_fmt=4)
    call("fsconfig", fd2, 1, "key", "value", 0, fd=fd2, cmd=1, key="key", value_bytebuf=None, value_charbuf=None, aux=0)
    return fd2


def overlay(folder):
    """Files of an overlay file system, in a mount namespace of its own."""
    layers = {name: folder + "/" + name for name in ("lower", "upper", "work", "merged")}
    for path in layers.values():
        os.mkdir(path)
    open(layers["lower"] + "/below", "w").close()
    libc.unshare(0x20000)
    libc.mount(b"none", b"/", None, 0x44000, None)
    options = "lowerdir={lower},upperdir={upper},workdir={work}".format(**layers)
    if libc.mount(b"overlay", layers["merged"].encode(), b"overlay", 0, options.encode()) != 0:
        sys.stderr.write("OVERLAY LAYERS NOT TESTED: " + os.strerror(ctypes.get_errno()) + "\n")
        return
    below, above = layers["merged"] + "/below", layers["merged"] + "/above"
    call("openat", AT_FDCWD, below, os.O_RDONLY, 0, name=below, flags=0x10001, res_name="fd")
    call("openat", AT_FDCWD, above, os.O_WRONLY | os.O_CREAT, 0o600, name=above, flags=0xC006, res_name="fd")
    call("openat", AT_FDCWD, below, os.O_WRONLY, 0, name=below, flags=0x8002, res_name="fd")
    call("creat", above, 0o600, name=above, creat_flags=1, res_name="fd")
    for fd in range(3, 100):
        try:
            os.close(fd)
        except OSError:
            pass
    libc.umount2(layers["merged"].encode(), 2)


def descriptors(fd):
    call("splice", 88, None, 89, None, 4096, 3, fd_in=88, fd_out=89, size=4096, flags=3)
    offset = ctypes.c_int64(7)
    call("sendfile", 88, 89, ctypes.byref(offset), 100, out_fd=88, in_fd=89, size=100, offset=7)
    call("copy_file_range", 88, None, 89, None, 50, 0, fdin=88, fdout=89, len=50, offin=0, offout=0)
    call("epoll_create", 5, size=5)
    call("epoll_create1", os.O_CLOEXEC, flags=1)
    events = ctypes.create_string_buffer(64)
    call("epoll_wait", fd, events, 4, 0, maxevents=4)
    call("eventfd", 3, initval=3, flags=0)
    call("eventfd2", 4, os.O_CLOEXEC | os.O_NONBLOCK, initval=4, flags=0x1040)
    call("inotify_init", flags=0)
    call("inotify_init1", os.O_NONBLOCK, flags=0x40)
    mask = ctypes.c_uint64(1 << 9)
    call("signalfd", -1, ctypes.byref(mask), 8, fd=-1, mask=512, flags=0)
    call("signalfd4", -1, ctypes.byref(mask), 8, os.O_CLOEXEC, fd=-1, mask=512, flags=0x1000)
    call("timerfd_create", 1, 0, clockid=1, flags=0)
    call("userfaultfd", os.O_CLOEXEC, flags=0x1000)
    call("memfd_create", "hidden", 3, name="hidden", flags=3, res_name="fd")
    parameters = (ctypes.c_uint32 * 30)()
    call("io_uring_setup", 4, parameters, entries=4)
    expect(sq_entries=parameters[0], cq_entries=parameters[1], features={"mask": 0x7FF, "value": parameters[5] & 0x7FF})
    call("io_uring_enter", fd, 1, 2, 3, None, 0, fd=fd, to_submit=1, min_complete=2, flags=3)
    call("io_uring_register", fd, 2, 4096, 5, fd=fd, opcode=2, arg=4096, nr_args=5)
    call("select", 0, None, None, None, ctypes.create_string_buffer(16))


def sockets():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    fd = server.fileno()
    call("listen", fd, 7, fd=fd, backlog=7)
    one, length = ctypes.c_int(1), ctypes.c_int(4)
    number = (b"\x02" + struct.pack("<I", 1)).decode("latin1")
    call("setsockopt", fd, 1, 9, ctypes.byref(one), 4, fd=fd, level=1, optname=9, val=number, optlen=4)
    call("getsockopt", fd, 1, 9, ctypes.byref(one), ctypes.byref(length), fd=fd, level=1, optname=9, val=number, optlen=4)
    error = ctypes.c_int(9)
    call("getsockopt", fd, 1, 4, ctypes.byref(error), ctypes.byref(length), optname=4, val="\x01" + "\0" * 8)
    interval = struct.pack("<qq", 2, 500000)
    call("setsockopt", fd, 1, 20, interval, 16, optname=20, val="\x04" + struct.pack("<Q", 2500000000).decode("latin1"), optlen=16)
    call("setsockopt", fd, 6, 1, ctypes.byref(one), 4, level=2, optname=0, val="\0\x01\0\0\0", optlen=4)
    call("shutdown", fd, 1, fd=fd, how=1)
    call("getsockname", fd, ctypes.create_string_buffer(64), ctypes.byref(ctypes.c_int(64)), res_name=None)
    call("getpeername", fd, ctypes.create_string_buffer(64), ctypes.byref(ctypes.c_int(64)), res_name=None)


def processes():
    pid = os.getpid()
    call("kill", pid, 0, pid=pid, sig=0)
    call("tkill", pid, 0, tid=pid, sig=0)
    call("tgkill", pid, pid, 0, pid=pid, tid=pid, sig=0)
    fd = call("pidfd_open", pid, os.O_NONBLOCK, pid=pid, flags=1, res_name="fd")
    call("pidfd_getfd", fd, 1, 0, pid_fd=fd, target_fd=1, flags=0, res_name="fd")
    call("ptrace", 16, 999999, 1, 2, request=11, pid=999999, addr="\0" * 9, data="\0" * 9)
    call("prctl", 15, "renamed", 0, 0, 0, option=15, arg2_str="renamed", arg2_int=0)
    call("prctl", 36, 1, 0, 0, 0, option=36, arg2_str=None, arg2_int=1)
    reaper = ctypes.c_int(0)
    call("prctl", 37, ctypes.byref(reaper), 0, 0, 0, option=37, arg2_str=None, arg2_int=1)
    source, target = ctypes.create_string_buffer(b"payload!"), ctypes.create_string_buffer(9)
    local = (ctypes.c_uint64 * 2)(ctypes.addressof(target), 8)
    remote = (ctypes.c_uint64 * 2)(ctypes.addressof(source), 8)
    call("process_vm_readv", pid, local, 1, remote, 1, 0, pid=pid, data="payload!")
    call("process_vm_writev", pid, remote, 1, local, 1, 0, pid=pid, data="payload!")
    call("seccomp", 2, 0, ctypes.byref(ctypes.c_uint32(0x7FFF0000)), op=2, flags=0)
    call("unshare", 0x400, flags=1)
    call("setns", 97, 0x40000000, fd=97, nstype=0x10)
    call("nanosleep", struct.pack("<qq", 0, 1234567), None, interval=1234567)
    word = ctypes.c_uint32(5)
    call("futex", ctypes.byref(word), 0x81, 1, None, None, 0, addr=ctypes.addressof(word), op=0x81, val=1)
    for name, value in (("getuid", os.getuid()), ("geteuid", os.geteuid()), ("getgid", os.getgid()), ("getegid", os.getegid())):
        call(name, res_name={"getuid": "uid", "geteuid": "euid", "getgid": "gid", "getegid": "egid"}[name])
    call("setuid", 0, uid=0)
    call("setgid", 0, gid=0)
    call("setreuid", 0, 0xFFFFFFFF, ruid=0, euid=0xFFFFFFFF)
    call("setregid", 0xFFFFFFFF, 0, rgid=0xFFFFFFFF, egid=0)
    call("setresuid", 0, 0, 0, ruid=0, euid=0, suid=0)
    call("setresgid", 0, 0, 0, rgid=0, egid=0, sgid=0)
    ids = [ctypes.c_uint32(9) for _ in range(3)]
    call("getresuid", *[ctypes.byref(i) for i in ids], ruid=0, euid=0, suid=0)
    call("getresgid", *[ctypes.byref(i) for i in ids], rgid=0, egid=0, sgid=0)
    call("setpgid", 0, 0, pid=0, pgid=0)
    call("setsid")
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    libc.capget(header, data)
    call("capset", header, data, cap_effective=data[0] | data[3] << 32, cap_permitted=data[1] | data[4] << 32,
         cap_inheritable=data[2] | data[5] << 32)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = (ctypes.c_int64 * 2)()
    call("getrlimit", 7, limit, cur=soft, max=hard, resource=7)
    call("getrlimit", 99, limit, cur=-1, max=-1, resource=255)
    call("setrlimit", 7, limit, cur=soft, max=hard, resource=7)
    new, old = (ctypes.c_int64 * 2)(soft - 1, hard), (ctypes.c_int64 * 2)()
    call("prlimit64", 0, 7, new, old, newcur=soft - 1, newmax=hard, oldcur=soft, oldmax=hard, pid=0, resource=7)
    semaphores = call("semget", 0, 2, 0o1600, key=0, nsems=2, semflg=0x2000)
    call("semctl", semaphores, 1, 16, 5, semid=semaphores, semnum=1, cmd=0x1000, val=5)
    operations = struct.pack("<HhHHhH", 0, 3, 0o4000, 1, -2, 0x1000)
    call("semop", semaphores, operations, 2, semid=semaphores, nsops=2, sem_num_0=0, sem_op_0=3, sem_flg_0=1, sem_num_1=1, sem_op_1=-2,
         sem_flg_1=2)
    call("semctl", semaphores, 0, 0, 0, semid=semaphores, cmd=4, val=0)
    number = "\0" + struct.pack("<q", -3).decode("latin1")
    zero = "\0" * 9
    call("keyctl", 0, -3, 0, operation=0, arg2=number, arg3=zero, arg4=zero, arg5=zero)
    call("keyctl", 10, -3, "user", "name", 0, operation=10, arg2=number, arg3="\x01user\0", arg4="\x01name\0", arg5=zero)
    call("bpf", 99, None, 0, cmd=99, res_name="fd")
    call("init_module", b"not a module", 12, "a=1", length=12, uargs="a=1", img="not a module")
    call("finit_module", 97, "b=2", 3, fd=97, uargs="b=2", flags=3)
    call("delete_module", "no_such_module", os.O_NONBLOCK | os.O_TRUNC, name="no_such_module", flags=3)


def memory():
    call("brk", 0, addr=0, vm_size=ANY, vm_rss=ANY, vm_swap=ANY)
    address = call("mmap", 0, 8192, 3, 0x22, -1, 0, addr=0, length=8192, prot=3, flags=0xA, fd=-1, offset=0, vm_size=ANY)
    call("mprotect", address, 4096, 1, addr=address, length=4096, prot=1)
    call("mlock", address, 4096, addr=address, len=4096)
    call("mlock2", address, 4096, 1, addr=address, len=4096, flags=1)
    call("munlock", address, 4096, addr=address, len=4096)
    call("mlockall", 5, flags=5)
    call("munlockall")
    call("munmap", address, 8192, addr=address, length=8192)


def generic():
    call("getpid", ID=NUMBERS["getpid id"], nativeID=NUMBERS["getpid"], res_name=None)
    call("statx", -1, "", 0, 0, None, nativeID=NUMBERS["statx"], res_name=None)


print(json.dumps({"tid": os.getpid()}), flush=True)
sys.stdin.readline()
with tempfile.TemporaryDirectory() as place:
    fd = files(place)
    descriptors(fd)
    if NUMBERS_32:
        compat(place)
    overlay(place)
    os.chdir("/")
sockets()
memory()
generic()
processes()
time.sleep(0.05)
for item in made:
    print(json.dumps(item))
