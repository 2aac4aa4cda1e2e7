"""System calls that fail, each in its own way, and a few that need raw arguments. x86_64 and arm64 numbers by name."""
import ctypes
import os
import platform

IS_ARM = platform.machine() == 'aarch64'
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
BAD_FD = 9999
BAD_ADDRESS = 1
NOWHERE = b'/no/such/place'
NOT_A_FOLDER = b'/etc/hostname/x'

# name: (x86_64, arm64). None where an architecture has no such call.
NUMBERS = {
    'read': (0, 63), 'write': (1, 64), 'open': (2, None), 'close': (3, 57), 'stat': (4, None), 'fstat': (5, 80),
    'lseek': (8, 62), 'mmap': (9, 222), 'mprotect': (10, 226), 'ioctl': (16, 29), 'pread64': (17, 67),
    'access': (21, None), 'pipe': (22, None), 'dup': (32, 23), 'dup2': (33, None), 'socket': (41, 198),
    'connect': (42, 203), 'accept': (43, 202), 'sendto': (44, 206), 'recvfrom': (45, 207), 'shutdown': (48, 210),
    'bind': (49, 200), 'listen': (50, 201), 'getsockname': (51, 204), 'socketpair': (53, 199), 'setsockopt': (54, 208),
    'getsockopt': (55, 209), 'clone': (56, 220), 'execve': (59, 221), 'kill': (62, 129), 'fcntl': (72, 25),
    'flock': (73, 32), 'truncate': (76, 45), 'ftruncate': (77, 46), 'getcwd': (79, 17), 'chdir': (80, 49),
    'fchdir': (81, 50), 'rename': (82, None), 'mkdir': (83, None), 'rmdir': (84, None), 'creat': (85, None),
    'link': (86, None), 'unlink': (87, None), 'symlink': (88, None), 'readlink': (89, None), 'chmod': (90, None),
    'fchmod': (91, 52), 'chown': (92, None), 'fchown': (93, 55), 'setuid': (105, 146), 'setgid': (106, 144),
    'setpgid': (109, 154), 'setresuid': (117, 147), 'setresgid': (119, 149), 'mknod': (133, None), 'chroot': (161, 51),
    'mount': (165, 40), 'umount2': (166, 39), 'delete_module': (176, 106), 'quotactl': (179, 60), 'tkill': (200, 130),
    'io_setup': (206, 0), 'epoll_ctl': (233, 21), 'tgkill': (234, 131), 'mkdirat': (258, 34), 'openat': (257, 56),
    'mknodat': (259, 33), 'fchownat': (260, 54), 'newfstatat': (262, 79), 'unlinkat': (263, 35), 'renameat': (264, None),
    'linkat': (265, 37), 'symlinkat': (266, 36), 'fchmodat': (268, 53), 'faccessat': (269, 48), 'unshare': (272, 97),
    'splice': (275, 76), 'signalfd4': (289, 74), 'eventfd2': (290, 19), 'epoll_create1': (291, 20), 'dup3': (292, 24),
    'pipe2': (293, 59), 'inotify_init1': (294, 26), 'preadv': (295, 69), 'prlimit64': (302, 261),
    'open_by_handle_at': (304, 265), 'setns': (308, 268), 'process_vm_readv': (310, 270),
    'finit_module': (313, 273), 'renameat2': (316, 276), 'seccomp': (317, 277), 'memfd_create': (319, 279),
    'execveat': (322, 281), 'userfaultfd': (323, 282), 'mlock2': (325, 284), 'copy_file_range': (326, 285),
    'pidfd_open': (434, 434), 'clone3': (435, 435), 'close_range': (436, 436), 'openat2': (437, 437),
    'pidfd_getfd': (438, 438), 'faccessat2': (439, 439), 'io_uring_setup': (425, 425), 'io_uring_enter': (426, 426),
}

CALLS = [
    ('read', BAD_FD, BAD_ADDRESS, 10), ('read', 0, BAD_ADDRESS, 10), ('write', BAD_FD, b'text', 4), ('open', NOWHERE, 0, 0),
    ('open', NOT_A_FOLDER, 0, 0), ('open', BAD_ADDRESS, 0, 0), ('open', 0, 0, 0), ('open', b'', 0, 0), ('open', b'/', 2, 0),
    ('open', b'x' * 300, 0, 0), ('open', b'/' + b'y' * 4090, 0, 0), ('open', b'/' + b'z' * 4095, 0, 0),
    ('open', b'/etc/hostname', 0o10000000, 0), ('close', BAD_FD), ('stat', NOWHERE, BAD_ADDRESS),
    ('fstat', BAD_FD, BAD_ADDRESS), ('lseek', BAD_FD, 5, 1), ('mmap', 0, 4096, 1, 2, BAD_FD, 0), ('mprotect', 1, 4096, 1),
    ('ioctl', BAD_FD, 0x5401, 0), ('pread64', BAD_FD, BAD_ADDRESS, 10, 77), ('access', NOWHERE, 4), ('pipe', BAD_ADDRESS),
    ('dup', BAD_FD), ('dup2', BAD_FD, 5), ('socket', 99, 1, 0), ('socket', 2, 99, 0), ('connect', BAD_FD, BAD_ADDRESS, 16),
    ('connect', 0, BAD_ADDRESS, 16), ('accept', BAD_FD, 0, 0), ('sendto', BAD_FD, b'abc', 3, 0, 0, 0),
    ('recvfrom', BAD_FD, BAD_ADDRESS, 3, 0, 0, 0), ('shutdown', BAD_FD, 2), ('bind', BAD_FD, BAD_ADDRESS, 16),
    ('listen', BAD_FD, 5), ('getsockname', BAD_FD, 0, 0), ('socketpair', 2, 1, 0, BAD_ADDRESS),
    ('setsockopt', BAD_FD, 1, 2, BAD_ADDRESS, 4), ('getsockopt', BAD_FD, 1, 2, BAD_ADDRESS, BAD_ADDRESS),
    ('clone', 0x00010000, 0, 0, 0, 0), ('execve', NOWHERE, 0, 0), ('execve', b'/etc/hostname', 0, 0),
    ('execve', b'/etc', 0, 0), ('execve', BAD_ADDRESS, 0, 0), ('kill', 0x3FFFFFFF, 0), ('kill', 0x3FFFFFFF, 99),
    ('fcntl', BAD_FD, 1, 0), ('flock', BAD_FD, 2), ('truncate', NOWHERE, 5), ('ftruncate', BAD_FD, 5), ('getcwd', 0, 0),
    ('getcwd', BAD_ADDRESS, 1), ('chdir', NOWHERE), ('chdir', b'/etc/hostname'), ('fchdir', BAD_FD), ('fchdir', 0),
    ('rename', NOWHERE, b'/tmp/x'), ('mkdir', b'/etc', 0o755), ('rmdir', NOWHERE), ('rmdir', b'/etc'),
    ('creat', b'/no/such/file', 0o600), ('link', NOWHERE, NOWHERE), ('unlink', NOWHERE), ('symlink', b'target', b'/etc'),
    ('readlink', b'/etc', BAD_ADDRESS, 10), ('chmod', NOWHERE, 0o4755), ('fchmod', BAD_FD, 0o640),
    ('chown', NOWHERE, 1, 2), ('fchown', BAD_FD, 1, 2), ('setuid', -1), ('setgid', -1), ('setpgid', 0x3FFFFFFF, 1),
    ('setresuid', -2, -2, -2) if os.getuid() else ('setuid', -1), ('mknod', b'/no/such/node', 0o020644, 0x0103),
    ('chroot', NOWHERE), ('mount', b'none', NOWHERE, b'tmpfs', 0, 0), ('umount2', NOWHERE, 2), ('umount2', b'/etc/hostname', 0),
    ('delete_module', b'no_such_module', 0o4000), ('tkill', 0x3FFFFFFF, 0), ('io_setup', 0, 0),
    ('epoll_ctl', BAD_FD, 1, 2, 0), ('tgkill', 0x3FFFFFFF, 0x3FFFFFFF, 9), ('mkdirat', BAD_FD, b'relative', 0o700),
    ('openat', BAD_FD, b'relative', 0, 0), ('openat', -100, NOWHERE, 0o2000101, 0o640),
    ('mknodat', BAD_FD, b'relative', 0o10644, 0), ('fchownat', BAD_FD, b'relative', 3, 4, 0x100),
    ('newfstatat', BAD_FD, b'relative', BAD_ADDRESS, 0x100), ('unlinkat', BAD_FD, b'relative', 0x200),
    ('renameat', BAD_FD, b'from', BAD_FD, b'to'), ('linkat', BAD_FD, b'from', BAD_FD, b'to', 0x400),
    ('symlinkat', b'target', BAD_FD, b'link'), ('fchmodat', BAD_FD, b'relative', 0o600), ('faccessat', BAD_FD, b'relative', 0),
    ('unshare', 1), ('splice', BAD_FD, 0, BAD_FD, 0, 10, 1), ('signalfd4', BAD_FD, 0, 8, 0),
    ('eventfd2', 1, 0x7FFFFFFF), ('epoll_create1', 77), ('dup3', 1, 1, 0), ('dup3', BAD_FD, 5, 0o2000000),
    ('pipe2', BAD_ADDRESS, 0), ('inotify_init1', 77), ('preadv', BAD_FD, 0, 0, 5, 0), ('prlimit64', 0x3FFFFFFF, 7, 0, 0),
    ('open_by_handle_at', BAD_FD, BAD_ADDRESS, 0), ('setns', BAD_FD, 0x40000000),
    ('process_vm_readv', 0x3FFFFFFF, 0, 0, 0, 0, 0), ('finit_module', BAD_FD, b'', 0),
    ('renameat2', BAD_FD, b'from', BAD_FD, b'to', 1), ('seccomp', 99, 0, 0), ('memfd_create', b'n' * 300, 0),
    ('memfd_create', b'name', 0x7FF00000), ('execveat', BAD_FD, b'relative', 0, 0, 0), ('userfaultfd', 0x7FFFFFFF),
    ('mlock2', 1, 4096, 99), ('copy_file_range', BAD_FD, 0, BAD_FD, 0, 10, 0), ('pidfd_open', 0x3FFFFFFF, 0),
    ('clone3', BAD_ADDRESS, 64), ('clone3', BAD_ADDRESS, 1), ('close_range', 10, 5, 0), ('openat2', -100, NOWHERE, BAD_ADDRESS, 24),
    ('pidfd_getfd', BAD_FD, 1, 0), ('faccessat2', BAD_FD, b'relative', 0, 0), ('io_uring_setup', 0, BAD_ADDRESS),
    ('io_uring_enter', BAD_FD, 1, 1, 0, 0, 0),
]


def call(name, *arguments):
    """Makes a call by name; returns its result, or minus its error number."""
    number = NUMBERS[name][1 if IS_ARM else 0]
    if number is None:
        return None
    result = LIBC.syscall(ctypes.c_long(number), *[ctypes.c_char_p(a) if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments])
    return -ctypes.get_errno() if result == -1 else result


def make_failing_calls(journal):
    for name, *arguments in CALLS:
        result = call(name, *arguments)
        if result is not None and result >= 0 and name not in ('getsockname',):
            journal.note('unexpected', call=name, result=result)
