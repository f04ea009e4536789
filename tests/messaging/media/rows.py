"""Files that a simulated person sends, and the rows they become."""

from dataclasses import dataclass, field
from typing import Any

from django.core.files.storage import default_storage

from messaging.models import Attachment
from tests.conftest import Running, until

LINA = "lina@im.wechat"


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
