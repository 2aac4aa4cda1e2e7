"""Two hand-assembled programs that make 32-bit calls: an ELF32, and an ELF64 that enters through int 0x80.

The code is the same in both modes: mov reg, imm32; xor; int 0x80. It opens a file, closes it, makes a directory, calls
getpid, tries to open what is not there, and exits with 7.
"""
import os
import struct

BASE = 0x08048000
OPEN, CLOSE, GETPID, EXIT, MKDIR = 5, 6, 20, 1, 39


def _mov(register, value):
    return bytes([0xB8 + {'eax': 0, 'ecx': 1, 'edx': 2, 'ebx': 3}[register]]) + struct.pack('<I', value)


INT80 = b'\xcd\x80'


def _code(present, absent, directory):
    return b''.join([
        _mov('ebx', present), _mov('ecx', 0), _mov('edx', 0), _mov('eax', OPEN), INT80,
        b'\x89\xc3', _mov('eax', CLOSE), INT80,
        _mov('ebx', directory), _mov('ecx', 0o750), _mov('eax', MKDIR), INT80,
        _mov('eax', GETPID), INT80,
        _mov('ebx', absent), _mov('ecx', 0), _mov('edx', 0), _mov('eax', OPEN), INT80,
        _mov('ebx', 7), _mov('eax', EXIT), INT80,
    ])


def write_tiny_elf(path, bits, present, absent, directory):
    header = 52 + 32 if bits == 32 else 64 + 56
    length = len(_code(0, 0, 0))
    texts = [text.encode() + b'\0' for text in (present, absent, directory)]
    at, places = BASE + header + length, []
    for text in texts:
        places.append(at)
        at += len(text)
    code = _code(places[0], places[1], places[2]) + b''.join(texts)
    ident = b'\x7fELF' + bytes([1 if bits == 32 else 2, 1, 1]) + bytes(9)
    entry, size = BASE + header, header + len(code)
    if bits == 32:
        head = ident + struct.pack('<HHIIIIIHHHHHH', 2, 3, 1, entry, 52, 0, 0, 52, 32, 1, 40, 0, 0)
        program = struct.pack('<IIIIIIII', 1, 0, BASE, BASE, size, size, 5, 0x1000)
    else:
        head = ident + struct.pack('<HHIQQQIHHHHHH', 2, 62, 1, entry, 64, 0, 0, 64, 56, 1, 64, 0, 0)
        program = struct.pack('<IIQQQQQQ', 1, 5, 0, BASE, BASE, size, size, 0x1000)
    with open(path, 'wb') as file:
        file.write(head + program + code)
    os.chmod(path, 0o755)
