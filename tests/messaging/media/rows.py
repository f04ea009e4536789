"""Files that a simulated person sends, and the rows they become."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from django.core.files.storage import default_storage

from messaging.models import Attachment
from sessions_app.simulator.media import aes
from tests.conftest import Running, until

LINA = "lina@im.wechat"
_NUMBERS = itertools.count(7_500_000_000_000_000_001)


@dataclass(frozen=True)
class Sent:
    """One file that Li Na sends, and how WeChat describes it."""

    kind: str
    content: bytes
    details: dict[str, Any] = field(default_factory=dict)


def bytes_of(name: str) -> bytes:
    with default_storage.open(name) as file:
        return bytes(file.read())


async def fetched(running: Running, *files: Sent) -> list[Attachment]:
    """The rows of these files, in this order, when all of them are settled."""
    session = await running.scan("Shop A")
    for one in files:
        running.control.write(
            session.bot_id, LINA, kind=one.kind, content=one.content, **one.details
        )
    settled = Attachment.objects.filter(state__in=["stored", "failed"]).order_by("message")

    def rows() -> list[Attachment] | None:
        found = list(settled.all())
        return found if len(found) == len(files) else None

    found: list[Attachment] = await until(rows, "all settled")
    return found


KEY = bytes(range(16))


def lies_at(running: Running, content: bytes, *, key: bytes | None = KEY) -> dict[str, Any]:
    """The media of a message: encrypted with the key, or plain on the CDN without one."""
    put = running.control.wechat.cdn.put
    if key is None:
        return {"encrypt_query_param": put(content)}
    param = put(aes.encrypt(content, key))
    return {"encrypt_query_param": param, "aes_key": aes.encode_key(key, "base64_hex")}


async def injected(running: Running, *items: dict[str, Any], sender: str = LINA) -> None:
    """One message per item, as it stands; bytes for `media` are put on the CDN first."""
    bot_id = running.bots.get("Shop A") or (await running.scan("Shop A")).bot_id
    messages = []
    for item in items:
        number = next(_NUMBERS)
        for content in item.values():
            for name in ("media", "thumb_media"):
                if isinstance(content, dict) and isinstance(content.get(name), bytes):
                    content[name] = lies_at(running, content[name])
        messages.append(
            {"message_id": number, "from_user_id": sender, "message_type": 1,
             "context_token": f"token-{number}", "item_list": [item]}
        )  # fmt: skip
    running.control.inject(bot_id, messages)


async def fetched_messages(running: Running, *items: dict[str, Any]) -> list[Attachment]:
    """The rows of these items, in this order, when all of them are settled."""
    await injected(running, *items)
    settled = Attachment.objects.filter(state__in=["stored", "failed"]).order_by("message")

    def rows() -> list[Attachment] | None:
        found = list(settled.all())
        return found if len(found) == len(items) else None

    found: list[Attachment] = await until(rows, "all settled", within_s=60)
    return found
