"""A TCP line that a test can cut, stall and mend. Loopback only."""

import contextlib
import socket
import threading

CHUNK = 65_536


class Line:
    """Passes bytes between a page and the console until told otherwise."""

    def __init__(self, *, target_port: int, port: int) -> None:
        self.target_port = target_port
        self.port = port
        self.url = f"http://localhost:{port}"
        self._flowing = threading.Event()
        self._flowing.set()
        self._refusing = False
        self._stopped = False
        self._sockets: set[socket.socket] = set()
        self._websockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port))

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        self._flowing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_connections()

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        self._refusing = True
        self.cut_connections()

    def open_websockets(self) -> int:
        with self._lock:
            return len(self._websockets)

    def cut_websockets(self) -> int:
        """Close every open websocket, on the page's side; returns how many."""
        with self._lock:
            sockets, self._websockets = self._websockets, set()
        self._close(sockets)
        return len(sockets)

    def cut_connections(self) -> None:
        with self._lock:
            sockets, self._sockets, self._websockets = self._sockets, set(), set()
        self._close(sockets)

    @staticmethod
    def _close(sockets: set[socket.socket]) -> None:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def stall(self) -> None:
        """Keep every connection open and pass nothing on."""
        self._flowing.clear()

    def mend(self) -> None:
        self._refusing = False
        self._flowing.set()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                page, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                page.close()
                continue
            console = socket.create_connection(("127.0.0.1", self.target_port))
            with self._lock:
                self._sockets |= {page, console}
            for source, sink in ((page, console), (console, page)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _note(self, source: socket.socket, data: bytes) -> None:
        if data.startswith(b"GET /ws/"):
            with self._lock:
                self._websockets.add(source)

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(CHUNK):
                self._flowing.wait()
                self._note(source, data)
                sink.sendall(data)
        except OSError:
            pass
        with self._lock:
            self._websockets -= {source, sink}
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
