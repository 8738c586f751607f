"""What a child process gives up before it reads hostile bytes, each where the platform can.

Limits are those of setrlimit(2); on a platform without the ``resource`` module nothing is limited
here, and the parent's wall clock and restart are what is left.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from dataclasses import dataclass

try:
    import resource

    LIMITED = True
except ImportError:  # pragma: no cover - not on POSIX
    LIMITED = False

PR_SET_PDEATHSIG = 1
NULL = "/dev/null"


@dataclass(frozen=True, slots=True)
class Confinement:
    """Memory (bytes of address space), processor and wall time (seconds), open files.

    What is resident is never more than the address space: no child takes more than 512 MiB, and
    of these 90 MiB are the interpreter and the libraries.
    """

    memory: int = 512 << 20
    cpu: int = 10
    wall: float = 15.0
    files: int = 64


def confine(limits: Confinement, *, once: bool) -> None:
    """Limit this process; ``once`` if it reads one document and ends, else its time is extended."""
    if not LIMITED:  # pragma: no cover - not on POSIX
        return
    _lower(resource.RLIMIT_AS, limits.memory)
    _lower(resource.RLIMIT_NOFILE, limits.files)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)
    if once:
        _lower(resource.RLIMIT_CPU, limits.cpu)
    else:
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime)
        with contextlib.suppress(ValueError, OSError):
            _, hard = resource.getrlimit(resource.RLIMIT_CPU)
            resource.setrlimit(resource.RLIMIT_CPU, (spent + limits.cpu + 1, hard))


def _lower(what: int, value: int) -> None:
    """Set both limits, or as low as the hard limit allows; refused limits stay as they are."""
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(what)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (bound, bound))


def die_with_parent() -> None:
    """Be killed when the parent process ends (Linux only)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def drop_files(keep: int) -> None:
    """Close every file but ``keep``; standard streams become the null device."""
    null = os.open(NULL, os.O_RDWR)
    for fd in (0, 1, 2):
        if fd != keep:
            os.dup2(null, fd)
    highest = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 4096) if LIMITED else 1024
    os.closerange(3, keep)
    os.closerange(max(keep + 1, 3), highest)
