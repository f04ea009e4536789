"""A proxy before the console that refuses some posts by itself, as WAFs and body limits do."""

import socket
import threading

from tests.browser.line import CHUNK, Line

PAGE = b"<html><h1>%d</h1><hr>a small proxy</html>"


class Guard(Line):
    """`refuse`: answers for a path from now on; `posts`: the paths of all posts that came."""

    def __init__(self, *, target_port: int, port: int) -> None:
        super().__init__(target_port=target_port, port=port)
        self.posts: list[str] = []
        self._refused: dict[str, int] = {}
        self._noting = threading.Lock()

    def refuse(self, path: str, status: int) -> None:
        self._refused[path] = status

    def let_through(self) -> None:
        self._refused.clear()

    def count(self, path: str) -> int:
        with self._noting:
            return sum(path in one for one in self.posts)

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        if not self._is_page(source):
            super()._pass(source, sink)
            return
        try:
            while data := source.recv(CHUNK):
                status = self._verdict(data)
                if status:
                    self._answer(source, status)
                    sink.close()
                    return
                self._note(source, data)
                sink.sendall(data)
        except OSError:
            pass
        sink.close()

    def _is_page(self, source: socket.socket) -> bool:
        try:
            return bool(source.getsockname()[1] == self.port)
        except OSError:
            return False

    def _verdict(self, data: bytes) -> int:
        if not data.startswith(b"POST "):
            return 0
        path = data.split(b" ", 2)[1].decode()
        with self._noting:
            self.posts.append(path)
        return next((status for part, status in self._refused.items() if part in path), 0)

    def _answer(self, page: socket.socket, status: int) -> None:
        body = PAGE % status
        head = b"HTTP/1.1 %d Refused\r\nContent-Type: text/html\r\nContent-Length: %d\r\n"
        page.sendall(head % (status, len(body)) + b"Connection: close\r\n\r\n" + body)
        page.shutdown(socket.SHUT_WR)
        while page.recv(CHUNK):
            pass
        page.close()
