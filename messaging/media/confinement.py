"""Takes away from a process what decoding a file does not need. Linux; no other library.

`confine` leaves the process one folder and Python's own libraries. It cannot be undone. Each part
that the kernel lacks is left out; `missing` names them.

* Landlock (Linux 5.13): no other file can be opened, so keys, database and session folder cannot.
* seccomp: no socket, no other program, no signal to another process, no look into one.
* `no_new_privs`: a program with the setuid bit gives no rights.
* Limits on memory, CPU time, file size and open files.
"""

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import sysconfig
from collections.abc import Iterable
from pathlib import Path

MOST_MEMORY_BYTES = 1536 * 1024 * 1024
MOST_FILE_BYTES = 256 * 1024 * 1024
MOST_CPU_S = 60
MOST_OPEN_FILES = 64

_libc = ctypes.CDLL(None, use_errno=True)

# linux/prctl.h
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2

# linux/landlock.h. The numbers of the calls are the same on all architectures.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_WRITE_FILE, _REMOVE_FILE, _MAKE_REG, _TRUNCATE = 1 << 1, 1 << 5, 1 << 8, 1 << 14
_READ = _READ_FILE | _READ_DIR
_WRITE = _READ | _WRITE_FILE | _REMOVE_FILE | _MAKE_REG | _TRUNCATE
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""Version of the interface → how many rights of files it knows. From 5 on: 16."""
_NET_RIGHTS, _SCOPES = 0b11, 0b11
"""Bind and connect TCP (version 4); abstract sockets and signals outside (version 6)."""

# linux/seccomp.h, linux/bpf_common.h
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO_EPERM = 0x7FFF0000, 0x00050001
_X32 = 0x40000000
_NUMBER_AT, _ARCH_AT = 0, 4
_DENIED = {
    # socket connect socketpair execve execveat ptrace process_vm_readv process_vm_writev kill tkill
    # tgkill unshare setns mount bpf perf_event_open userfaultfd add_key request_key keyctl
    "x86_64": (
        0xC000003E,
        (41, 42, 53, 59, 322, 101, 310, 311, 62, 200, 234, 272, 308, 165, 321, 298, 323, 248, 249,
         250),
    ),
    "aarch64": (
        0xC00000B7,
        (198, 203, 199, 221, 281, 117, 270, 271, 129, 130, 131, 97, 268, 40, 280, 241, 282, 217,
         218, 219),
    ),
}  # fmt: skip
_DENIED_EVERYWHERE = (424, 425, 434, 438)
"""pidfd_send_signal, io_uring_setup, pidfd_open, pidfd_getfd."""


def confine(folder: Path) -> None:
    """Leave this process nothing but `folder`. Files that it has open stay open."""
    folder = folder.resolve()
    os.chdir(folder)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _limit_files(folder)
    limit_resources()
    _limit_calls()


def end_with_parent(parent: int) -> None:
    """Let the kernel end this process with its parent, whose process id is `parent`."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def limit_resources() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, MOST_FILE_BYTES),
        (resource.RLIMIT_CPU, MOST_CPU_S),
        (resource.RLIMIT_NOFILE, MOST_OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))


def missing() -> list[str]:
    """The parts that this machine does not have."""
    parts = []
    if landlock_version() == 0:
        parts.append("Landlock")
    if platform.machine() not in _DENIED or not Path("/proc/sys/kernel/seccomp").is_dir():
        parts.append("seccomp")
    return parts


def landlock_version() -> int:
    """0: not available."""
    with contextlib.suppress(AttributeError, OSError):
        found: int = _libc.syscall(
            ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), _CREATE_RULESET_VERSION
        )
        return max(found, 0)
    return 0


def readable_folders() -> list[Path]:
    """Where Python finds its libraries, and ours in this package; no data is there."""
    paths = sysconfig.get_paths()
    libraries = (paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    here = Path(__file__).resolve().parent.parent
    system = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/dev/null", "/dev/urandom")
    found = [here, *map(Path, libraries), *map(Path, system)]
    return [one for one in found if one.exists()]


def _limit_files(folder: Path) -> None:
    version = landlock_version()
    if version == 0:
        return
    handled = (1 << _RIGHTS.get(version, 16)) - 1
    attributes = struct.pack("Q", handled)
    if version >= 4:
        attributes += struct.pack("Q", _NET_RIGHTS)
    if version >= 6:
        attributes += struct.pack("Q", _SCOPES)
    ruleset = _checked(
        _libc.syscall(
            ctypes.c_long(_CREATE_RULESET), attributes, ctypes.c_size_t(len(attributes)), 0
        )
    )
    try:
        _allow(ruleset, readable_folders(), _READ & handled)
        _allow(ruleset, [folder], _WRITE & handled)
        _checked(_libc.syscall(ctypes.c_long(_RESTRICT_SELF), ruleset, 0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[Path], rights: int) -> None:
    for path in paths:
        of_this = rights if path.is_dir() else rights & ~_READ_DIR
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = struct.pack("=Qi", of_this, opened)
            number = ctypes.c_long(_ADD_RULE)
            _checked(_libc.syscall(number, ruleset, _RULE_PATH_BENEATH, rule, 0))
        finally:
            os.close(opened)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _limit_calls() -> None:
    known = _DENIED.get(platform.machine())
    if known is None or "seccomp" in missing():
        return
    code = seccomp_code(*known)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program))


def seccomp_code(architecture: int, denied: Iterable[int]) -> bytes:
    """A filter that answers `denied` with EPERM, and calls of another architecture too."""
    numbers = [*denied, *_DENIED_EVERYWHERE]
    steps = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_EQUAL, 0, len(numbers) + 3, architecture),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, len(numbers) + 1, 0, _X32),
    ]
    for place, number in enumerate(numbers):
        steps.append((_EQUAL, len(numbers) - place, 0, number))
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO_EPERM)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _prctl(what: int, *values: int) -> None:
    padded = [*values, 0, 0, 0, 0][:4]
    _checked(_libc.prctl(what, *(ctypes.c_ulong(value) for value in padded)))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
