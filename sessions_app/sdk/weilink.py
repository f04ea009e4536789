"""The `WeiLink` class: the public Python API. Synchronous, over one background event loop.

Every method may be called from any thread except the loop's own. The folder is the truth. In memory
are only counts, and answers that the caller does not have yet.
"""

import contextlib
import io
import threading
from collections.abc import Sequence
from types import TracebackType

from sessions_app.folder.store import Listing, SessionFolder, UnknownSessionError
from sessions_app.ilink.errors import ILinkError
from sessions_app.ilink.opening import decrypt_file
from sessions_app.sessions import names

from .background import BackgroundLoop
from .configuration import StrPath, configuration
from .connections import Connections
from .dispatcher import Dispatcher, Handler, StopSignals
from .errors import NoContextError, NothingToSendError, NotLoggedInError
from .ledger import Ledger
from .login import BotInfo, Login
from .messages import Message, media_of, told_of
from .parts import Contents, Part, SendResult, UploadedMedia, parts_of, sound_name, upload_kind
from .receiver import Receiver
from .sending import Sender
from .sessions import Sessions

SEND_LOCK_LIMIT_S = 60.0
MAX_DOWNLOAD_BYTES = 512 * 1024 * 1024


class WeiLink:
    """The bots of one session folder.

    The folder is that of `token_path` (for old code), else `base_path`, else WEILINK_BASE_PATH,
    else `~/.weilink`. Files of the layout before 0.5.0 are moved into `default/`.
    """

    def __init__(
        self, token_path: StrPath | None = None, *, base_path: StrPath | None = None
    ) -> None:
        self._configuration = configuration(token_path, base_path)
        self._folder = SessionFolder(
            self._configuration.base, flat_default=self._configuration.flat_default
        )
        if not self._configuration.flat_default:
            self._folder.migrate()
        self._loop = BackgroundLoop()
        self._connections = Connections(self._configuration)
        self._ledger = Ledger(self._folder, self._connections.dead.__contains__)
        self._receiver: Receiver | None = None
        self._sender = Sender(self._connections)
        self._receiving = threading.Lock()
        self._closing = threading.Lock()
        self._is_closed = False
        self._dispatcher = Dispatcher(self._recv)

    # Properties

    def scan(self) -> Listing:
        """The current content of the folder, including what cannot be used."""
        return self._folder.scan()

    @property
    def sessions(self) -> Sessions:
        """Name → handle. `default` is always there and comes first."""
        return Sessions(self, self.scan())

    @property
    def default_name(self) -> str:
        """The session that is used if no name is given."""
        return self.scan().default_name

    @property
    def bot_ids(self) -> dict[str, str]:
        """Name → bot id, of every session with credentials."""
        return {one.name: one.token.bot_id for one in self.scan().usable() if one.token}

    @property
    def bot_id(self) -> str | None:
        """The bot id of the default session."""
        listing = self.scan()
        found = listing.get(listing.default_name)
        return found.token.bot_id if found and found.token else None

    @property
    def is_connected(self) -> bool:
        """Whether any session has credentials that WeChat has not refused."""
        return any(self.is_session_connected(one.name) for one in self.scan().usable())

    def is_session_connected(self, name: str) -> bool:
        found = self.scan().get(name)
        token = found.token if found else None
        return token is not None and token.token not in self._connections.dead

    # Sessions

    def login(self, name: str | None = None, force: bool = False) -> BotInfo:
        """Log a session in by a QR code in the terminal. Without a name, the default session.

        Existing credentials are used again, unless `force`. Raises ValueError for a wrong name,
        LoginFailedError without a scan, and BrokenFileError if the session's file is broken.
        """
        return Login(self._folder, self._connections, self._configuration, self._loop).run(
            name, force
        )

    def rename_session(self, old: str, new: str) -> None:
        """Rename a session; polling continues. Raises ValueError for wrong or taken names."""
        with self._folder.changing(make=True) as change:
            change.rename(old, new)

    def logout(self, name: str | None = None) -> None:
        """Delete credentials and contexts. Raises ValueError if there is no such session.

        A poll in flight still delivers its messages, but cannot restore the session.
        """
        listing = self.scan()
        wanted = listing.default_name if name is None else names.clean_session_name(name)
        found = listing.get(wanted)
        if found is None:
            raise UnknownSessionError(wanted)
        with self._folder.changing() as change:
            change.log_out(wanted)
        if found.token is not None:
            self._loop.run(self._connections.say_goodbye(found.token))

    def set_default(self, name: str) -> None:
        """Set the session that is used if no name is given.

        Raises ValueError if it does not exist.
        """
        with self._folder.changing(make=True) as change:
            change.set_default(name)

    # Receiving

    def recv(self, timeout: float = 35.0) -> list[Message]:
        """New messages of all sessions, each once. An empty list after `timeout` seconds.

        At the timeout, polls stay open in the background; the next call returns what they bring.
        While another process polls, this waits and returns []. Raises NotLoggedInError (a
        RuntimeError) without any session, and SessionExpiredError if WeChat has ended all of them.
        """
        if self._dispatcher.is_receiving:
            return self._dispatcher.recv(timeout)
        return self._recv(timeout)

    def _recv(self, timeout: float) -> list[Message]:
        if not self._receiving.acquire(timeout=max(0.0, timeout)):
            return []
        try:
            receiver = self._receiver_now()
            self._loop.run(receiver.wait(timeout))
            return [message for batch in receiver.take() for message in batch.messages]
        finally:
            self._receiving.release()

    def on_message(self, handler: Handler) -> Handler:
        """Call `handler(message)` for every message once `run_…` is called.

        Also works as a decorator.
        """
        self._dispatcher.add(handler)
        return handler

    def run_background(self, poll_timeout: float = 35.0) -> None:
        """Receive in a thread and call the handlers there."""
        self._dispatcher.start(poll_timeout)

    def run_forever(self, poll_timeout: float = 35.0) -> None:
        """Receive until `stop`, Ctrl+C or SIGTERM, then `close`."""
        self._dispatcher.start(poll_timeout)
        try:
            with StopSignals(self._dispatcher):
                self._dispatcher.wait_until_stopped()
        finally:
            self.close()

    def stop(self) -> None:
        """Stop `run_forever` and `run_background`."""
        self._dispatcher.stop()

    def download(self, msg: Message) -> bytes:
        """The decrypted file of a message. Raises ValueError if it has none."""
        media = msg.media
        if media is None or not (media.encrypt_query_param or media.full_url):
            raise ValueError("This message has no file.")

        encrypted, plain = io.BytesIO(), io.BytesIO()

        async def fetch() -> None:
            where = media_of(media)
            pieces = self._connections.cdn().download_encrypted(where, max_bytes=MAX_DOWNLOAD_BYTES)
            async with contextlib.aclosing(pieces):
                async for piece in pieces:
                    encrypted.write(piece)

        self._loop.run(fetch())
        decrypt_file(encrypted, plain, media=media_of(media), told=told_of(msg))
        return plain.getvalue()

    # Sending

    def send(
        self,
        to: str,
        text: str | None = None,
        *,
        image: Contents = None,
        voice: Contents = None,
        file: Contents = None,
        file_name: str | Sequence[str] = "",
        video: Contents = None,
        session: str | None = None,
        override: bool = False,
        auto_recv: bool = False,
    ) -> SendResult:
        """Reply through the session of the person's newest message, or only through `session`.

        Every text and file uses one of `REPLIES_PER_TOKEN` replies. The result is False if there is
        nothing to send, the person never wrote, or WeChat refused: `.reason` is a sentence and
        `.error.code` a short word. Raises QuotaExhaustedError and WindowClosedError (our own count;
        `override` sends all the same) and SessionExpiredError, all with `.offer`; TextTooLongError
        and ValueError; and other ILinkErrors if the result is unknown or WeChat was not reached.
        The text of each says why.
        """
        received = self._recv_before(auto_recv)
        parts = parts_of(
            text, image=image, voice=voice, file=file, file_name=file_name, video=video
        )
        if not parts:
            return SendResult(success=False, error=NothingToSendError(), messages=received)
        try:
            reservation = self._ledger.reserve(
                to, len(parts), session=session, override=override, limit_s=SEND_LOCK_LIMIT_S
            )
        except NoContextError as error:
            return SendResult(success=False, error=error, messages=received)
        try:
            _check_uploads(parts, to, reservation.token.bot_id)
        except ValueError:
            self._ledger.give_back(reservation, len(parts))
            raise
        outcome = self._loop.run(self._sender.send(reservation, parts))
        remaining = reservation.remaining
        if outcome.unsent:
            remaining = self._ledger.give_back(reservation, outcome.unsent)
        if outcome.error is not None and not outcome.is_refusal:
            raise outcome.error
        return SendResult(
            success=outcome.error is None,
            remaining=remaining,
            session=reservation.session,
            message_ids=outcome.message_ids,
            error=outcome.error,
            messages=received,
        )

    def upload(self, to: str, data: bytes, media_type: str, file_name: str = "") -> UploadedMedia:
        """Upload a file for one person, to be sent once or more.

        Raises ValueError for a wrong kind.
        """
        upload_kind(media_type)
        if media_type == "file" and not file_name:
            raise ValueError("file_name is needed for a file")
        if media_type == "voice":
            file_name = file_name or sound_name(data)
        newest = self._ledger.newest(to)
        usable = [newest[0]] if newest else self.scan().usable()
        token = usable[0].token if usable else None
        if token is None:
            raise NotLoggedInError
        return self._loop.run(self._sender.upload(token, to, media_type, data, file_name))

    def send_typing(self, to: str) -> None:
        """Show "typing …" to a person who wrote before. Otherwise does nothing."""
        self._type(to, on=True)

    def stop_typing(self, to: str) -> None:
        self._type(to, on=False)

    def _type(self, to: str, *, on: bool) -> None:
        newest = self._ledger.newest(to)
        if newest is None or newest[0].token is None:
            if not self.scan().usable():
                raise NotLoggedInError
            return
        self._loop.run(self._sender.type(newest[0].token, to, newest[1].token, on))

    # Closing

    def close(self) -> None:
        """Write down what the caller has and close the connections. The rest stays in the folder.

        An open poll is cut off. Its cursor has not moved, so its messages come again.
        """
        with self._closing:
            if self._is_closed:
                return
            self._dispatcher.stop()
            self._is_closed = True
            with contextlib.suppress(RuntimeError):
                self._loop.run(self._hang_up())
            self._loop.stop()

    def __enter__(self) -> "WeiLink":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def _hang_up(self) -> None:
        if self._receiver is not None:
            await self._receiver.aclose()
        await self._connections.aclose()

    def _receiver_now(self) -> Receiver:
        if self._receiver is None:

            async def make() -> Receiver:
                return Receiver(self._folder, self._connections, self._ledger)

            self._receiver = self._loop.run(make())
        return self._receiver

    def _recv_before(self, auto_recv: bool) -> list[Message]:
        if auto_recv:
            with contextlib.suppress(ILinkError):
                return self.recv(timeout=1)
        return []


def _check_uploads(parts: Sequence[Part], to: str, bot_id: str) -> None:
    for part in parts:
        if part.uploaded is not None and (part.uploaded.to, part.uploaded.bot_id) != (to, bot_id):
            raise ValueError("This file was uploaded for another person, or for another session.")
