"""
Socket and I/O calls of all families: `socket_calls.py FOLDER [compat]`, the latter by the numbers of 32-bit programs.
Prints one JSON object per call: the event it must show up as, and its parameters.
"""

import array
import ctypes
import json
import mmap
import os
import select
import socket
import struct
import sys

FOLDER = sys.argv[1]
LIBC = ctypes.CDLL(None, use_errno=True)
expected = []


def expect(event, **params):
    expected.append({"event": event, "params": params})


def text(address):
    return f"{address[0]}:{address[1]}"


def tuple_of(source, dest):
    return f"{text(source)}->{text(dest)}"


def stream(family, host):
    server = socket.socket(family)
    expect("SOCKET_SOCKET_X", fd=server.fileno(), domain=int(family), proto=0)
    server.bind((host, 0))
    server.listen(7)
    name = server.getsockname()
    expect("SOCKET_BIND_X", res=0, fd=server.fileno(), addr=text((host, 0)))
    client = socket.socket(family)
    client.connect(name)
    peer, _ = server.accept()
    flow = tuple_of(client.getsockname(), name)
    back = tuple_of(name, client.getsockname())
    expect("SOCKET_CONNECT_X", res=0, fd=client.fileno(), tuple=flow, addr=text(name))
    expect("SOCKET_ACCEPT4_6_X", fd=peer.fileno(), tuple=flow, queuemax=7, queuelen=0, queuepct=0, flags=0)
    client.send(b"request")
    expect("SOCKET_SENDTO_X", res=7, fd=client.fileno(), data="request", size=7, tuple=flow)
    peer.recv(100)
    expect("SOCKET_RECVFROM_X", res=7, fd=peer.fileno(), data="request", size=100, tuple=flow)
    peer.send(b"answer")
    expect("SOCKET_SENDTO_X", res=6, fd=peer.fileno(), data="answer", size=6, tuple=back)
    client.recv(100)
    expect("SOCKET_RECVFROM_X", res=6, fd=client.fileno(), data="answer", size=100, tuple=back)
    os.writev(client.fileno(), [b"one", b"two", b"three"])
    expect("WRITEV_X", res=11, fd=client.fileno(), data="onetwothree", size=11)
    os.readv(peer.fileno(), [bytearray(2), bytearray(4), bytearray(100)])
    expect("READV_X", res=11, fd=peer.fileno(), data="onetwothree", size=11)
    peer.close()
    client.recv(5)
    expect("SOCKET_RECVFROM_X", res=0, fd=client.fileno(), data=None, size=5, tuple=None)


def mapped():
    """An IPv4 client of an IPv6 server: the server's side names both with mapped addresses."""
    server = socket.socket(socket.AF_INET6)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind(("::", 0))
    server.listen(1)
    port = server.getsockname()[1]
    client = socket.socket()
    client.connect(("127.0.0.1", port))
    peer, address = server.accept()
    expect("SOCKET_CONNECT_X", res=0, tuple=tuple_of(client.getsockname(), ("127.0.0.1", port)))
    expect("SOCKET_ACCEPT4_6_X", fd=peer.fileno(), tuple=tuple_of(address, ("::ffff:127.0.0.1", port)))


def refused():
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    client = socket.socket()
    client.connect_ex(("127.0.0.1", port))
    expect("SOCKET_CONNECT_X", res=-111, fd=client.fileno(), tuple=None, addr=f"127.0.0.1:{port}")


def in_progress():
    """A full queue keeps a connection waiting: the result says so, and the tuple is known."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    name = server.getsockname()
    clients = []
    for _ in range(4):
        client = socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        expect("SOCKET_SOCKET_X", fd=client.fileno(), type=526337, flags=64 + 4096)
        result = client.connect_ex(name)
        flow = tuple_of(client.getsockname(), name)
        expect("SOCKET_CONNECT_X", res=-result, fd=client.fileno(), tuple=flow, addr=text(name))
        clients.append(client)


def datagrams(family, host, unbound):
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((host, 0))
    client = socket.socket(family, socket.SOCK_DGRAM)
    name = server.getsockname()
    client.sendto(b"datagram", name)
    sender = client.getsockname()
    out = tuple_of((unbound, sender[1]), name)
    arrived = tuple_of((host, sender[1]), name)
    expect("SOCKET_SENDTO_X", res=8, fd=client.fileno(), data="datagram", size=8, tuple=out)
    server.recvfrom(100)
    expect("SOCKET_RECVFROM_X", res=8, fd=server.fileno(), data="datagram", size=100, tuple=arrived)
    client.sendmsg([b"part 1", b"part 2"], [], 0, name)
    expect("SOCKET_SENDMSG_X", res=12, fd=client.fileno(), data="part 1part 2", size=12, tuple=out)
    server.recvmsg(100)
    expect(
        "SOCKET_RECVMSG_X", res=12, fd=server.fileno(), data="part 1part 2", size=12, tuple=arrived, msgcontrol=None
    )


def short_address():
    """An IPv6 socket is told an IPv4 address."""
    server = socket.socket(type=socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    port = server.getsockname()[1]
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton("127.0.0.1") + bytes(8)
    LIBC.sendto(client.fileno(), b"four", 4, 0, address, 16)
    out = tuple_of(("::", client.getsockname()[1]), ("::ffff:127.0.0.1", port))
    expect("SOCKET_SENDTO_X", res=4, fd=client.fileno(), data="four", size=4, tuple=out)


def unix(address, shown):
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
    server.listen(3)
    expect("SOCKET_BIND_X", res=0, fd=server.fileno(), addr=shown)
    client = socket.socket(socket.AF_UNIX)
    client.connect(address)
    peer, _ = server.accept()
    expect("SOCKET_CONNECT_X", res=0, fd=client.fileno(), tuple=shown, addr=shown)
    expect("SOCKET_ACCEPT4_6_X", fd=peer.fileno(), tuple=shown)
    client.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1]).tobytes())])
    expect("SOCKET_SENDMSG_X", res=1, fd=client.fileno(), data="x", tuple=shown)
    _, control, _, _ = peer.recvmsg(10, 100)
    fds = array.array("i", control[0][2])
    header = (16 + 4 * len(fds)).to_bytes(8, "little") + b"\1\0\0\0\1\0\0\0"
    expect(
        "SOCKET_RECVMSG_X", res=1, fd=peer.fileno(), data="x", tuple=shown,
        msgcontrol=(header + control[0][2]).decode("latin1"),
    )


def pairs():
    left, right = socket.socketpair()
    expect("SOCKET_SOCKETPAIR_X", res=0, fd1=left.fileno(), fd2=right.fileno(), domain=1, proto=0)
    left.send(b"pair")
    expect("SOCKET_SENDTO_X", res=4, fd=left.fileno(), data="pair", tuple="unix:")


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("len", ctypes.c_size_t)]


class Message(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p), ("name_len", ctypes.c_uint), ("iov", ctypes.POINTER(Iovec)),
        ("iov_len", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_len", ctypes.c_size_t),
        ("flags", ctypes.c_long), ("len", ctypes.c_uint),
    ]


def many_messages():
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    out = (Iovec * 3)(Iovec(b"first", 5), Iovec(b"second", 6), Iovec(b"2nd", 3))
    sent = (Message * 2)()
    sent[0].iov, sent[0].iov_len = out, 1
    sent[1].iov, sent[1].iov_len = ctypes.cast(ctypes.byref(out, 16), ctypes.POINTER(Iovec)), 2
    LIBC.sendmmsg(left.fileno(), sent, 2, 0)
    expect("SOCKET_SENDMMSG_X", res=5, fd=left.fileno(), size=5, data="first", tuple="unix:")
    expect("SOCKET_SENDMMSG_X", res=9, fd=left.fileno(), size=9, data="second2nd", tuple="unix:")
    buffers = [ctypes.create_string_buffer(20) for _ in range(2)]
    into = (Iovec * 2)(*[Iovec(ctypes.cast(b, ctypes.c_char_p), 20) for b in buffers])
    got = (Message * 2)()
    for i in range(2):
        got[i].iov, got[i].iov_len = ctypes.cast(ctypes.byref(into, 16 * i), ctypes.POINTER(Iovec)), 1
    LIBC.recvmmsg(right.fileno(), got, 2, 0, None)
    expect("SOCKET_RECVMMSG_X", res=5, fd=right.fileno(), size=5, data="first", tuple="unix:", msgcontrol=None)
    expect("SOCKET_RECVMMSG_X", res=9, fd=right.fileno(), size=9, data="second2nd", tuple="unix:", msgcontrol=None)
    LIBC.sendmmsg(999, sent, 2, 0)
    expect("SOCKET_SENDMMSG_X", res=-9, fd=999, size=0, data=None, tuple=None)


def failing():
    LIBC.accept4(998, None, None, 0)
    expect("SOCKET_ACCEPT4_6_X", fd=-9, tuple=None, queuepct=0, queuelen=0, queuemax=0, flags=0)
    LIBC.connect(997, ctypes.c_char_p(b"\1\0/not/there"), 12)
    expect("SOCKET_CONNECT_X", res=-9, fd=997, tuple=None, addr="unix:/not/there")
    LIBC.write(996, b"nobody", 6)
    expect("WRITE_X", res=-9, fd=996, data="nobody", size=6)
    LIBC.read(995, ctypes.create_string_buffer(3), 3)
    expect("READ_X", res=-9, fd=995, data=None, size=3)
    LIBC.close(994)
    expect("CLOSE_X", res=-9, fd=994)
    LIBC.write(1, ctypes.c_void_p(8), 6)
    expect("WRITE_X", res=-14, fd=1, data=None, size=6)


def files():
    """Every size at which the probe takes another way; data is cut to 4,000 bytes."""
    fd = os.open(f"{FOLDER}/file", os.O_RDWR | os.O_CREAT)
    for size in (0, 1, 2, 31, 32, 255, 256, 3999, 4000, 4001, 70000):
        content = bytes(65 + i % 26 for i in range(size))
        shown = content[:4000].decode() or None
        os.write(fd, content)
        expect("WRITE_X", res=size, fd=fd, data=shown, size=size)
        os.lseek(fd, -size, os.SEEK_CUR)
        os.read(fd, size + 10)
        expect("READ_X", res=size, fd=fd, data=shown, size=size + 10)
    os.pwrite(fd, b"0123456789", 7)
    expect("PWRITE_X", res=10, fd=fd, data="0123456789", size=10, pos=7)
    os.pread(fd, 4, 9)
    expect("PREAD_X", res=4, fd=fd, data="2345", size=4, pos=9)
    # The interpreter's own would be pwritev2, which has no event of its own.
    parts = (Iovec * 2)(Iovec(b"ab", 2), Iovec(b"cd", 2))
    LIBC.pwritev(fd, parts, 2, ctypes.c_long(100))
    expect("PWRITEV_X", res=4, fd=fd, data="abcd", size=4, pos=100)
    buffers = [ctypes.create_string_buffer(3) for _ in range(2)]
    parts = (Iovec * 2)(*[Iovec(ctypes.cast(b, ctypes.c_char_p), 3) for b in buffers])
    LIBC.preadv(fd, parts, 2, ctypes.c_long(100))
    expect("PREADV_X", res=6, fd=fd, data="abcd" + chr(65 + 12) + chr(65 + 13), size=6, pos=100)
    os.close(fd)
    expect("CLOSE_X", res=0, fd=fd)


def pipes():
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_DIRECT)
    expect("PIPE2_X", res=0, fd1=reader, fd2=writer, ino=os.fstat(reader).st_ino, flags=512 + 64)
    poll = select.poll()
    poll.register(reader, select.POLLIN | select.POLLRDHUP)
    poll.register(writer, select.POLLOUT)
    poll.poll(50)
    expect("POLL_X", res=1, fds=f"{reader}:0 {writer}:4", timeout=50)
    os.close(writer)
    poll.unregister(writer)
    poll.register(993, select.POLLIN)
    poll.poll(50)
    expect("POLL_X", res=2, fds=f"{reader}:32 993:64", timeout=50)


# push rbx; mov r8, rdi; eax, ebx, ecx, edx, esi, edi from [r8]; int 0x80; pop rbx; ret
ENTRY32 = bytes.fromhex("534989f8418b00418b5804418b4808418b500c418b7010418b7814cd805bc3")
NR32 = {"read": 3, "write": 4, "close": 6, "socketcall": 102, "writev": 146, "pread64": 180, "recvmsg": 372}
SOCKETPAIR, SEND, RECV, CONNECT = 8, 9, 10, 3


class Memory32:
    """Memory below 4 GiB that 32-bit pointers reach: code, the call's registers, and what the calls point at."""

    def __init__(self):
        map_32bit = 0x40
        self.map = mmap.mmap(
            -1, 8192, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | map_32bit, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        )
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        self.entry = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(self.put(ENTRY32, 0))
        self.end = 256

    def put(self, content, at=None):
        if at is None:
            at, self.end = self.end, self.end + (len(content) + 15) // 16 * 16
        self.map[at : at + len(content)] = content
        return self.base + at

    def words(self, *values):
        return self.put(struct.pack(f"<{len(values)}I", *[v & 0xFFFFFFFF for v in values]))

    def call(self, name, *args):
        return self.entry(self.words(NR32[name], *args, *[0] * (5 - len(args))))


def compat():
    memory = Memory32()
    text, more, room = memory.put(b"hello"), memory.put(b"world"), memory.put(bytes(32))
    fds = memory.words(0, 0)
    memory.call("socketcall", SOCKETPAIR, memory.words(1, 1, 0, fds))
    left, right = struct.unpack("<2i", memory.map[fds - memory.base : fds - memory.base + 8])
    expect("SOCKET_SOCKETPAIR_X", res=0, fd1=left, fd2=right, domain=1, type=1)
    memory.call("socketcall", SEND, memory.words(left, text, 5, 0))
    expect("SOCKET_SEND_X", res=5, data="hello", fd=left, size=5, tuple="unix:")
    memory.call("socketcall", RECV, memory.words(right, room, 20, 0))
    expect("SOCKET_RECV_X", res=5, data="hello", fd=right, size=20, tuple="unix:")
    vector = memory.words(text, 5, more, 5)
    memory.call("writev", left, vector, 2)
    expect("WRITEV_X", res=10, data="helloworld", fd=left, size=10)
    memory.call("recvmsg", right, memory.words(0, 0, memory.words(room, 4, room + 8, 10), 2, 0, 0, 0), 0)
    expect("SOCKET_RECVMSG_X", res=10, size=10, data="helloworld", fd=right, tuple="unix:", msgcontrol=None)
    memory.call("write", left, text, 3)
    expect("WRITE_X", res=3, data="hel", fd=left, size=3)
    memory.call("read", right, room, 9)
    expect("READ_X", res=3, data="hel", fd=right, size=9)
    memory.call("pread64", right, room, 3, 7, 1)
    expect("PREAD_X", res=-29, data=None, fd=right, size=3, pos=7 + (1 << 32))
    memory.call("socketcall", CONNECT, memory.words(995, memory.put(b"\1\0/gone\0"), 8))
    expect("SOCKET_CONNECT_X", res=-9, tuple=None, fd=995, addr="unix:/gone")
    memory.call("close", left)
    expect("CLOSE_X", res=0, fd=left)


def native():
    stream(socket.AF_INET, "127.0.0.1")
    stream(socket.AF_INET6, "::1")
    mapped()
    refused()
    in_progress()
    datagrams(socket.AF_INET, "127.0.0.1", "0.0.0.0")
    datagrams(socket.AF_INET6, "::1", "::")
    short_address()
    unix(f"{FOLDER}/socket", f"unix:{FOLDER}/socket")
    unix(b"\0strata-abstract", "unix:strata-abstract")
    pairs()
    many_messages()
    failing()
    files()
    pipes()


compat() if "compat" in sys.argv else native()
print("\n".join(json.dumps(line) for line in expected))
