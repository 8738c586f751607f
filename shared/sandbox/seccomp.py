"""No network, no programs, no other processes: the child's seccomp filter (Linux, x86-64, ARM64).

The filter refuses the named calls with EPERM and any call of a foreign architecture; everything
else is allowed. It cannot be taken off again, and is inherited. Sources: seccomp(2), the kernel's
syscall tables, linux/bpf_common.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, JMP|JEQ|K, JMP|JGE|K, RET|K
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000  # REFUSE: SECCOMP_RET_ERRNO | EPERM
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
FOREIGN_ABI = 0x40000000  # x32 calls on x86-64

# Call → its number on x86-64 and on ARM64 (None: it does not exist there).
REFUSED: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "bind": (49, 200),
    "listen": (50, 201),
    "socketpair": (53, 199),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "kill": (62, 129),
    "ptrace": (101, 117),
    "rt_sigqueueinfo": (129, 138),
    "mount": (165, 40),
    "tkill": (200, 130),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "rt_tgsigqueueinfo": (297, 240),
    "perf_event_open": (298, 241),
    "open_by_handle_at": (304, 265),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "bpf": (321, 280),
    "execveat": (322, 281),
    "userfaultfd": (323, 282),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "pidfd_open": (434, 434),
}
SIGNAL_TO_THREAD = (234, 131)  # tgkill: abort() uses it, so it is refused for other processes only
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def build(machine: str, pid: int) -> bytes:
    """The filter's program for a machine and the process it is for; KeyError for other machines."""
    column, architecture = MACHINES[machine]
    steps = [
        _step(LOAD, ARCHITECTURE),
        _step(EQUAL, architecture, 1, 0),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER),
        _step(AT_LEAST, FOREIGN_ABI, 0, 1),
        _step(RETURN, REFUSE),
    ]
    for numbers in REFUSED.values():
        number = numbers[column]
        if number is not None:
            steps += [_step(EQUAL, number, 0, 1), _step(RETURN, REFUSE)]
    steps += [
        _step(EQUAL, SIGNAL_TO_THREAD[column], 0, 3),
        _step(LOAD, FIRST_ARGUMENT),
        _step(EQUAL, pid, 1, 0),
        _step(RETURN, REFUSE),
        _step(RETURN, ALLOW),
    ]
    return b"".join(steps)


def shut_in() -> bool:
    """Put the filter on this process; False where the platform has none or refuses it."""
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        return False
    code = build(platform.machine(), os.getpid())
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0)
