"""fopen, getline and strcmp of the C library."""

import ctypes
import errno
import os


libc = ctypes.CDLL(None, use_errno=True)
libc.fopen.restype = ctypes.c_void_p
libc.getline.restype = ctypes.c_ssize_t


def find_image_by_name(db: str, name: str) -> str | None:
    stream = libc.fopen(db.encode(), b"re")
    if not stream:
        number = ctypes.get_errno()
        if number == errno.ENOENT:
            return None
        raise OSError(number, os.strerror(number), db)
    stream, line, room = ctypes.c_void_p(stream), ctypes.c_char_p(), ctypes.c_size_t()
    try:
        while True:
            ctypes.set_errno(0)
            length = libc.getline(ctypes.byref(line), ctypes.byref(room), stream)
            if length < 0:
                if number := ctypes.get_errno():
                    raise OSError(number, os.strerror(number), db)
                return None
            fields = ctypes.string_at(line, length).removesuffix(b"\n").split(b"|")
            if len(fields) == 3 and all(fields) and fields[0] == name.encode():
                return fields[1].decode()
    finally:
        libc.fclose(stream)
        libc.free(line)
