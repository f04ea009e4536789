"""Sends the parts of one reply, each once, and says how many of them can never have left.

Runs on the background loop. It never counts and never repeats: the ledger counted before.
"""

import hashlib
import secrets
from dataclasses import dataclass

from sessions_app.folder.store import StoredToken
from sessions_app.ilink.cdn import bytes_source
from sessions_app.ilink.errors import ILinkError, NotSentError, RefusedError, SessionExpiredError
from sessions_app.ilink.wire import OutgoingItem, UploadedFile, UploadRequest, text_item

from .ledger import Reservation
from .lines import Line, Lines
from .parts import Part, UploadedMedia, item_of, upload_kind


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a reply. `unsent`: parts of which no byte left; `error` ended it early."""

    message_ids: tuple[str | None, ...]
    unsent: int
    error: ILinkError | None = None

    @property
    def is_refusal(self) -> bool:
        """WeChat said no to a part, and the session lives on."""
        return isinstance(self.error, RefusedError) and not isinstance(
            self.error, SessionExpiredError
        )


class Sender:
    """Sends on the lines of one WeiLink."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    async def send(self, reservation: Reservation, parts: list[Part]) -> Outcome:
        """All parts in order, up to the first that is not taken."""
        ids: list[str | None] = []
        for place, part in enumerate(parts):
            left = len(parts) - place
            try:
                line = self._lines.line(reservation.token)
                await line.announce()
                item = await self._item(line, reservation, part)
            except ILinkError as error:
                await self._learn(reservation.token, error)
                return Outcome(tuple(ids), left, error)
            try:
                receipt = await line.client.send_message(
                    to_user_id=reservation.user_id,
                    client_id=secrets.token_hex(16),
                    context_token=reservation.context_token,
                    item=item,
                )
            except ILinkError as error:
                await self._learn(reservation.token, error)
                never_left = left if isinstance(error, NotSentError) else left - 1
                return Outcome(tuple(ids), never_left, error)
            ids.append(receipt.message_id)
        return Outcome(tuple(ids), 0)

    async def upload(
        self, token: StoredToken, to: str, media_type: str, data: bytes, file_name: str
    ) -> UploadedMedia:
        """Encrypt and store one file for one person."""
        line = self._lines.line(token)
        return await self._upload(line, token.bot_id, to, media_type, data, file_name)

    async def type(self, token: StoredToken, to: str, context_token: str, on: bool) -> None:
        try:
            await self._lines.line(token).type(to, context_token, on)
        except ILinkError as error:
            await self._learn(token, error)
            raise

    async def _item(self, line: Line, reservation: Reservation, part: Part) -> OutgoingItem:
        if part.text is not None:
            return text_item(part.text)
        uploaded = part.uploaded
        if uploaded is None:
            bot_id, to = reservation.token.bot_id, reservation.user_id
            uploaded = await self._upload(
                line, bot_id, to, part.media_type, part.data or b"", part.file_name
            )
        return item_of(uploaded)

    async def _upload(
        self, line: Line, bot_id: str, to: str, media_type: str, data: bytes, file_name: str
    ) -> UploadedMedia:
        request = UploadRequest(
            file_key=secrets.token_hex(16),
            kind=upload_kind(media_type),
            to_user_id=to,
            size=len(data),
            md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            key=secrets.token_bytes(16),
        )
        target = await line.client.get_upload_url(request)
        param = await self._lines.cdn().upload(
            target,
            file_key=request.file_key,
            key=request.key,
            source=bytes_source(data),
            size=len(data),
        )
        file = UploadedFile(param, request.key, len(data), request.md5)
        return UploadedMedia(media_type, file, file_name, to, bot_id)

    async def _learn(self, token: StoredToken, error: ILinkError) -> None:
        """One answer condemns nothing: notifystart is asked whether the session is over."""
        if isinstance(error, SessionExpiredError) and await self._lines.is_over(token):
            self._lines.dead.add(token.token)
