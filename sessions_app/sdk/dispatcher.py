"""Passes received messages to the handlers of `on_message`, in its own thread.

An error in a handler is logged and does not stop anything. `recv` returns these messages, too.
"""

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from types import FrameType

from sessions_app.ilink.errors import ILinkError

from .messages import Message

logger = logging.getLogger(__name__)

Handler = Callable[[Message], object]
KEPT_FOR_RECV = 1000
REST_S = 2.0


class Dispatcher:
    """`receive(timeout_s)` returns messages. It is called only while there is a handler."""

    def __init__(self, receive: Callable[[float], list[Message]]) -> None:
        self._receive = receive
        self._handlers: list[Handler] = []
        self._has_handler = threading.Event()
        self._stop = threading.Event()
        self._stop_asked = False
        self._thread: threading.Thread | None = None
        self._kept: deque[Message] = deque(maxlen=KEPT_FOR_RECV)
        self._arrived = threading.Condition()

    @property
    def is_receiving(self) -> bool:
        """Whether the dispatcher receives, so that `recv` must not poll itself."""
        running = self._thread is not None and self._thread.is_alive()
        return running and self._has_handler.is_set()

    def add(self, handler: Handler) -> None:
        self._handlers.append(handler)
        self._has_handler.set()

    def start(self, poll_timeout_s: float) -> None:
        """Does nothing if it runs already."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._stop.clear()
        self._stop_asked = False
        self._thread = threading.Thread(
            target=self._run, args=(poll_timeout_s,), name="weilink-dispatcher", daemon=True
        )
        self._thread.start()

    def ask_to_stop(self) -> None:
        """For signal handlers: takes no lock that the main thread may hold."""
        self._stop_asked = True

    def stop(self) -> None:
        """Stop after the running handlers. May be called in a handler; then it does not wait."""
        self._stop.set()
        self._has_handler.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
            self._thread = None
        if not self._handlers:
            self._has_handler.clear()

    def wait_until_stopped(self) -> None:
        """Block until `stop` or `ask_to_stop`."""
        while not self._stop_asked and not self._stop.wait(0.2):
            continue

    def recv(self, timeout_s: float) -> list[Message]:
        """Messages that the handlers received and nobody read yet, at most the newest 1,000."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._kept, max(0.0, timeout_s))
            messages = list(self._kept)
            self._kept.clear()
        return messages

    def _run(self, poll_timeout_s: float) -> None:
        self._has_handler.wait()
        while not self._stop.is_set():
            # Receive in short turns, to notice `stop`. The poll itself stays open.
            self._receive_until(time.monotonic() + poll_timeout_s)

    def _receive_until(self, end_at: float) -> None:
        while not self._stop.is_set() and time.monotonic() < end_at:
            try:
                messages = self._receive(0.5)
            except ILinkError as error:
                logger.warning("receiving: %s", error)
                self._stop.wait(REST_S)
                return
            except Exception:
                logger.exception("receiving failed")
                self._stop.wait(REST_S)
                return
            for message in messages:
                self._call_handlers(message)

    def _call_handlers(self, message: Message) -> None:
        for handler in list(self._handlers):
            try:
                handler(message)
            except Exception:
                logger.exception("a message handler failed")
        with self._arrived:
            self._kept.append(message)
            self._arrived.notify_all()


class StopSignals:
    """Makes Ctrl+C and SIGTERM stop the dispatcher.

    Only in the main thread, where this is possible.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._stop)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._dispatcher.ask_to_stop()
