"""Holds data that was restored from a backup, like a copy, before anything starts on it."""

from django.db import transaction

from messaging.delivering.restored import doubt_restored
from sessions_app.installation import standing
from sessions_app.models import Receiver, SharedFolder, WorkerBeat
from sessions_app.recording.actions import Action


def hold_restored(*, copy_of: str) -> int:
    """Hold the default database. Returns how many replies became unconfirmed.

    The marks and the workers of the installation that was backed up are not of this one. A worker
    that does run here finds itself removed, and waits for the release.
    """
    with transaction.atomic():
        WorkerBeat.objects.all().delete()
        standing.take_back()
        standing.hold(copy_of=copy_of, action=Action.BACKUP_RESTORED)
        forget_receiver()
        return doubt_restored()


def forget_receiver() -> None:
    """In held data nobody receives from the session folder, and nothing is wrong with that."""
    SharedFolder.objects.update(receiver=Receiver.NOBODY, handed_over_at=None)
