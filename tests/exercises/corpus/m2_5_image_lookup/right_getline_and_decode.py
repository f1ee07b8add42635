"""getline of the C library; each name decoded."""

import ctypes
import errno
import os

_c = ctypes.CDLL(None, use_errno=True)
_c.fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
_c.fopen.restype = ctypes.c_void_p
_c.fclose.argtypes = [ctypes.c_void_p]
_c.ferror.argtypes = [ctypes.c_void_p]
_c.getline.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_size_t), ctypes.c_void_p]
_c.getline.restype = ctypes.c_ssize_t
_c.free.argtypes = [ctypes.c_void_p]
_c.free.restype = None


def find_image_by_name(db: str, name: str) -> str | None:
    """As in the lesson's C: fopen, getline, free, fclose."""
    path = os.fsencode(db)
    if b"\0" in path:
        raise ValueError("embedded null byte")
    stream = _c.fopen(path, b"re")
    if not stream:
        code = ctypes.get_errno()
        if code == errno.ENOENT:
            return None
        raise OSError(code, os.strerror(code), db)
    line = ctypes.c_void_p(None)
    room = ctypes.c_size_t(0)
    try:
        line_at, room_at = ctypes.byref(line), ctypes.byref(room)
        while True:
            length = _c.getline(line_at, room_at, stream)
            if length == -1:
                code = ctypes.get_errno()
                if _c.ferror(stream):
                    raise OSError(code, os.strerror(code), db)
                return None
            raw = ctypes.string_at(line, length)
            if raw[-1:] == b"\n":
                raw = raw[:-1]
            parts = raw.split(b"|")
            if len(parts) != 3 or not (parts[0] and parts[1] and parts[2]):
                continue
            try:
                if parts[0].decode() == name:
                    return parts[1].decode()
            except UnicodeDecodeError:
                continue
    finally:
        _c.free(line)
        _c.fclose(stream)
