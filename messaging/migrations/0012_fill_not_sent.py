"""What is not sent, and whom that leaves waiting, of the conversations that are here already.

In bounded steps, each a transaction of its own: a large inbox stays in use by what runs beside.
"""

from collections.abc import Iterator
from typing import Any

from django.db import migrations, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

STEP = 200


def fill(apps: Any, schema_editor: Any) -> None:
    conversations = apps.get_model("messaging", "Conversation").objects
    messages = apps.get_model("messaging", "Message").objects
    for step in _steps(conversations.filter(closes_at__gt=timezone.now())):
        with transaction.atomic():
            _mark_missing_receipts(messages, step)
    held = messages.filter(holds_queue=True) | messages.filter(missing_receipt=True)
    for step in _steps(conversations.filter(pk__in=held.values("conversation"))):
        with transaction.atomic():
            for thread in conversations.filter(pk__in=step):
                _stand(messages.filter(conversation=thread.pk), thread)


def _steps(rows: Any) -> Iterator[list[int]]:
    last = 0
    while step := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:STEP]):
        yield step
        last = step[-1]


def _mark_missing_receipts(messages: Any, step: list[int]) -> None:
    """Where WeChat gave receipts before, and a reply may still go: about others it is too late."""
    receipts = messages.filter(session=OuterRef("session"), id__lt=OuterRef("id"))
    lacking = messages.filter(
        Exists(receipts.exclude(wire_id="").filter(direction="out", status="sent")),
        conversation__in=step,
        status="unconfirmed",
        error_code="no_id",
        session__gives_receipts=True,
    )
    messages.filter(pk__in=list(lacking.values_list("pk", flat=True))).update(missing_receipt=True)


def _stand(messages: Any, thread: Any) -> None:
    """As `messaging.standing` had it when this was written."""
    undecided = messages.filter(holds_queue=True) | messages.filter(missing_receipt=True)
    holders = messages.filter(holds_queue=True).order_by("id").values_list("id", flat=True)
    holder = holders.first()
    thread.not_sent = undecided.count()
    if holder is not None:
        thread.not_sent += messages.filter(status="queued", id__gt=holder).count()
    since, is_decided = None, False
    columns = (
        "id", "direction", "event", "status", "error_code",
        "holds_queue", "missing_receipt", "stored_at",
    )  # fmt: skip
    is_last = True  # of the replies to the same words
    for row in messages.order_by("-id").values(*columns).iterator(chunk_size=STEP):
        if row["direction"] == "in" or row["event"] == "received_elsewhere":
            since, is_last = row["stored_at"], True
        elif is_last and _is_reply(row):
            is_last = False
            is_held = holder is not None and row["status"] == "queued" and row["id"] > holder
            if not (row["holds_queue"] or row["missing_receipt"] or is_held):
                is_decided = True
                break
            last = row["stored_at"]
    if since is None and not is_decided:
        since = last
    thread.waiting_since = since
    thread.missed_at = thread.missed_at if since is not None else None
    thread.save(update_fields=["not_sent", "waiting_since", "missed_at"])


def _is_reply(row: dict[str, Any]) -> bool:
    if row["direction"] != "out":
        return bool(row["event"] == "answered_elsewhere")
    if row["status"] == "cancelled":
        return False
    given_up = row["status"] == "failed" or (
        row["status"] == "unconfirmed" and row["error_code"] != "no_id"
    )
    return row["holds_queue"] or not given_up


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0011_not_sent")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
