"""Sends the parts of one reply, each once, and counts those of which no byte left.

Runs on the background loop. It does not count replies and never repeats: the ledger counted before.
"""

import hashlib
import secrets
from dataclasses import dataclass

from sessions_app.folder.store import StoredToken
from sessions_app.ilink.cdn import bytes_source
from sessions_app.ilink.errors import ILinkError, NotSentError, RefusedError, SessionExpiredError
from sessions_app.ilink.wire import OutgoingItem, UploadedFile, UploadRequest, text_item

from .connections import Connection, Connections
from .ledger import Reservation
from .parts import Part, UploadedMedia, item_of, upload_kind


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a reply.

    `unsent`: parts of which no byte left. `error`: what ended it early.
    """

    message_ids: tuple[str | None, ...]
    unsent: int
    error: ILinkError | None = None

    @property
    def is_refusal(self) -> bool:
        """Whether WeChat refused a part although the session is alive."""
        return isinstance(self.error, RefusedError) and not isinstance(
            self.error, SessionExpiredError
        )


class Sender:
    """Sends over the connections of one WeiLink."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def send(self, reservation: Reservation, parts: list[Part]) -> Outcome:
        """Send all parts in order, up to the first that is not accepted."""
        ids: list[str | None] = []
        for place, part in enumerate(parts):
            left = len(parts) - place
            try:
                connection = self._connections.connection(reservation.token)
                await connection.announce()
                item = await self._item(connection, reservation, part)
            except ILinkError as error:
                await self._check_session(reservation.token, error)
                return Outcome(tuple(ids), left, error)
            try:
                receipt = await connection.client.send_message(
                    to_user_id=reservation.user_id,
                    client_id=secrets.token_hex(16),
                    context_token=reservation.context_token,
                    item=item,
                )
            except ILinkError as error:
                await self._check_session(reservation.token, error)
                never_left = left if isinstance(error, NotSentError) else left - 1
                return Outcome(tuple(ids), never_left, error)
            ids.append(receipt.message_id)
        return Outcome(tuple(ids), 0)

    async def upload(
        self, token: StoredToken, to: str, media_type: str, data: bytes, file_name: str
    ) -> UploadedMedia:
        """Encrypt and upload one file for one person."""
        connection = self._connections.connection(token)
        return await self._upload(connection, token.bot_id, to, media_type, data, file_name)

    async def type(self, token: StoredToken, to: str, context_token: str, on: bool) -> None:
        try:
            await self._connections.connection(token).type(to, context_token, on)
        except ILinkError as error:
            await self._check_session(token, error)
            raise

    async def _item(
        self, connection: Connection, reservation: Reservation, part: Part
    ) -> OutgoingItem:
        if part.text is not None:
            return text_item(part.text)
        uploaded = part.uploaded
        if uploaded is None:
            bot_id, to = reservation.token.bot_id, reservation.user_id
            uploaded = await self._upload(
                connection, bot_id, to, part.media_type, part.data or b"", part.file_name
            )
        return item_of(uploaded)

    async def _upload(
        self,
        connection: Connection,
        bot_id: str,
        to: str,
        media_type: str,
        data: bytes,
        file_name: str,
    ) -> UploadedMedia:
        request = UploadRequest(
            file_key=secrets.token_hex(16),
            kind=upload_kind(media_type),
            to_user_id=to,
            size=len(data),
            md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            key=secrets.token_bytes(16),
        )
        target = await connection.client.get_upload_url(request)
        param = await self._connections.cdn().upload(
            target,
            file_key=request.file_key,
            key=request.key,
            source=bytes_source(data),
            size=len(data),
        )
        file = UploadedFile(param, request.key, len(data), request.md5)
        return UploadedMedia(media_type, file, file_name, to, bot_id)

    async def _check_session(self, token: StoredToken, error: ILinkError) -> None:
        """Check by notifystart whether the session is over. A single -14 does not prove it."""
        if isinstance(error, SessionExpiredError) and await self._connections.is_over(token):
            self._connections.dead.add(token.token)
