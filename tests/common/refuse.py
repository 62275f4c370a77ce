#!/usr/bin/env python3
"""Run a command whose system call NUMBER fails with ERRNO, as seccomp filters of containers do.

refuse.py NUMBER ERRNO COMMAND [ARGUMENT]...
"""
import ctypes
import os
import struct
import sys

number, error = int(sys.argv[1]), int(sys.argv[2])


def instruction(code, if_true, if_false, value):
    return struct.pack("HBBI", code, if_true, if_false, value)


program = ctypes.create_string_buffer(
    instruction(0x20, 0, 0, 0)                  # load the number
    + instruction(0x15, 0, 1, number)           # the one?
    + instruction(0x06, 0, 0, 0x50000 | error)  # SECCOMP_RET_ERRNO
    + instruction(0x06, 0, 0, 0x7FFF0000), 32)  # SECCOMP_RET_ALLOW


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
if libc.prctl(22, 2, ctypes.byref(Program(4, ctypes.addressof(program))), 0, 0):
    sys.exit(77)  # no seccomp here
os.execvp(sys.argv[3], sys.argv[3:])
