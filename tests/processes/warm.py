"""Processes of the console that need not import every library anew.

`manage.py check` takes two seconds of CPU, and nearly all of them go into imports. So one process
imports the libraries once and forks for each command. The child becomes what the interpreter would
have been: its own environment, folder, files, `sys.argv` and `sys.path`. Only libraries are
imported beforehand, and nothing of the project: that happens in the child, under its settings.

This file is also the program of that process; it then imports nothing of the tests.
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LIBRARIES = """
asgiref.server asgiref.sync autobahn.wamp.message autobahn.websocket.protocol channels.db
channels.generic.websocket channels.layers channels.routing channels_redis.core
cryptography.fernet cryptography.hazmat.primitives.ciphers.aead django.conf.urls.i18n
django.contrib.admin.apps django.contrib.auth.hashers django.core.asgi
django.core.cache.backends.locmem django.core.cache.backends.redis django.core.mail
django.core.management.commands.check django.core.management.commands.migrate
django.core.management.commands.shell django.db.backends.postgresql.base
django.db.backends.sqlite3.base django.db.migrations.executor django.db.models django.forms
django.middleware.common django.middleware.csrf django.middleware.security
django.template.backends.django django.template.defaultfilters django.template.defaulttags
django.template.loader django.urls django.views.generic django.views.i18n httpcore httpx hyperlink
msgspec multiprocessing PIL.Image prometheus_client psycopg psycopg_pool pydantic
pydantic_settings qrcode redis.asyncio regex service_identity.cryptography sqlparse structlog
structlog.twisted twisted.internet.asyncioreactor twisted.internet.endpoints twisted.internet.ssl
twisted.web.http twisted.web.server watchfiles
"""
"""What takes long to import and reads no setting of Django's.

`daphne.server` is not among them: it opens an event loop, and children may not share one.
"""
LARGEST_REQUEST = 1 << 20  # bytes; Linux takes packets of 200 kB by default


class Process:
    """A child, with the part of `subprocess.Popen` that the tests use."""

    def __init__(self, pid: int, ended: int) -> None:
        """`ended`: a pipe that brings the exit status."""
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended

    def poll(self) -> int | None:
        return self._status_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, negative for a signal's number. `timeout` in seconds."""
        status = self._status_within(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _status_within(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], seconds)[0]:
            said = os.read(self._ended, 16)
            os.close(self._ended)
            self.returncode = int(said) if said else -signal.SIGKILL
        return self.returncode


def start(
    arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path, out: int, err: int
) -> Process:
    """`python` with these arguments: a file's name, `-m` and a module's, or `-c` and code.

    Its stdin is empty.
    `out`, `err`: descriptors of open files.
    """
    request = {"arguments": list(arguments), "env": dict(env), "cwd": str(cwd)}
    ended, tells = os.pipe()
    with open(os.devnull, "rb") as nothing:
        files = [nothing.fileno(), out, err, tells]
        socket.send_fds(_nursery(), [json.dumps(request).encode()], files)
    os.close(tells)
    return Process(int(os.read(ended, 16)), ended)


_started: list[socket.socket] = []
_starting = threading.Lock()


def _nursery() -> socket.socket:
    """The line to the process that forks. It ends when ours does."""
    with _starting:
        if not _started:
            _started.append(_start_nursery())
    return _started[0]


def _start_nursery() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    names = ("PATH", "PYTHONPYCACHEPREFIX")
    env = {"LANG": "C.UTF-8", **{name: os.environ[name] for name in names if name in os.environ}}
    nursery = subprocess.Popen(
        [sys.executable, "-P", __file__, str(theirs.fileno())],
        env=env, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
    )  # fmt: skip
    theirs.close()
    atexit.register(_end, ours, nursery)
    return ours


def _end(line: socket.socket, nursery: "subprocess.Popen[bytes]") -> None:
    line.close()
    nursery.wait(10)


# In the process that forks


def _serve(line: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Fork for each request, and tell how each child ended. Returns in a child only."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    tells: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([line.fileno(), readable], [], [])
        if readable in ready:
            os.read(readable, 4096)
            _tell_of_ended(tells)
        if line.fileno() in ready:
            data, files, _, _ = socket.recv_fds(line, LARGEST_REQUEST, 4)
            if not data:
                os._exit(0)
            child = os.fork()
            if not child:
                return json.loads(data), files
            for one in files[:3]:
                os.close(one)
            tells[child] = files[3]
            os.write(files[3], f"{child:16}".encode())


def _tell_of_ended(tells: dict[int, int]) -> None:
    for child in list(tells):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            tell = tells.pop(child)
            with contextlib.suppress(BrokenPipeError):  # a test that is over asks no longer
                os.write(tell, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(tell)


def _become(env: Mapping[str, str], cwd: str, files: Sequence[int]) -> None:
    """What a new interpreter would find."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    os.closerange(3, 1 + max(int(one) for one in os.listdir("/proc/self/fd")))
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    added = env.get("PYTHONPATH")
    sys.path[:0] = [cwd, *(added.split(os.pathsep) if added else ())]
    if added:  # its start-up hook, which an interpreter looks for by this name
        sys.modules.pop("sitecustomize", None)
        with contextlib.suppress(ImportError):
            importlib.import_module("sitecustomize")
    sys.pycache_prefix = env.get("PYTHONPYCACHEPREFIX")
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.FileIO(0, closefd=False))  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _written_at_once(1, "strict")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _written_at_once(2, "backslashreplace")  # type: ignore[misc]


def _written_at_once(number: int, errors: str) -> io.TextIOWrapper:
    file = io.FileIO(number, "w", closefd=False)
    return io.TextIOWrapper(file, "utf-8", errors, write_through=True)


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the tests end their children
    for name in LIBRARIES.split():
        importlib.import_module(name)
    gc.freeze()  # a collection in a child need not copy what all share
    request, files = _serve(line)
    line.detach()
    arguments = request["arguments"]
    _become(request["env"], request["cwd"], files)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        exec(arguments[1], {"__name__": "__main__"})
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
