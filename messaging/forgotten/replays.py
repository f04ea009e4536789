"""Recognises what WeChat repeats of forgotten people, by `hashes`.

What a forgotten person wrote up to the moment of forgetting is not stored, whether it was here
before or not. A message written later is that of a new person.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection

from messaging.forgotten import hashes
from messaging.models import ForgettingKey, Forgotten
from sessions_app.database.batches import in_parts, texts

KEY_STATEMENT = f"SELECT 2, 0, encrypted_key FROM {ForgettingKey._meta.db_table}"  # noqa: S608
"""Reads the key beside other things; no row as long as nobody was forgotten."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a message before it is stored. `written_ms`: None if it does not say."""

    session_id: int
    dedupe_key: str
    wechat_id: str
    client_id: str
    written_ms: int | None


def replayed(found: Sequence[Seen], encrypted_key: str) -> set[int]:
    """Places in `found` of messages that must not be stored. One statement for any number."""
    key = hashes.opened(encrypted_key)
    if key is None:
        return set()
    people = {one.wechat_id: hashes.of_person(key, one.wechat_id) for one in found}
    theirs = [_of_message(key, one) for one in found]
    known = _known({*people.values(), *(digest for each in theirs for digest in each)})
    if not known:
        return set()
    return {
        place
        for place, (one, digests) in enumerate(zip(found, theirs, strict=True))
        if not known.keys().isdisjoint(digests)
        or _is_before(one.written_ms, known.get(people[one.wechat_id]))
    }


def forgotten_until(wechat_ids: Collection[str]) -> dict[str, int]:
    """The forgotten among these people → until when what they wrote is not stored, in ms."""
    row = ForgettingKey.objects.filter(pk=hashes.ROW).first() if wechat_ids else None
    key = hashes.opened(row.encrypted_key) if row is not None else None
    if key is None:
        return {}
    people = {hashes.of_person(key, one): one for one in wechat_ids}
    known = _known(people)
    return {people[digest]: until for digest, until in known.items() if until is not None}


def last_forgotten() -> float:
    """When somebody was last forgotten, in epoch seconds; 0.0: never."""
    at = ForgettingKey.objects.filter(pk=hashes.ROW).values_list("last_at", flat=True).first()
    return at.timestamp() if at is not None else 0.0


def _of_message(key: bytes, one: Seen) -> list[str]:
    digests = [hashes.of_message(key, one.session_id, one.dedupe_key)]
    if one.client_id:
        digests.append(hashes.of_client_id(key, one.client_id))
    return digests


def _is_before(written_ms: int | None, until_ms: int | None) -> bool:
    return written_ms is not None and until_ms is not None and written_ms <= until_ms


def _known(digests: Collection[str]) -> dict[str, int | None]:
    table = connection.ops.quote_name(Forgotten._meta.db_table)
    known: dict[str, int | None] = {}
    with connection.cursor() as cursor:
        for part in in_parts(digests):
            wanted, values = texts(part)
            cursor.execute(
                f"SELECT digest, written_until_ms FROM {table} WHERE digest IN {wanted}",  # noqa: S608
                values,
            )
            known.update(cursor.fetchall())
    return known
