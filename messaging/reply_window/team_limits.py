"""Changes the team's settings and updates what was computed from them."""

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from messaging.models import Conversation
from sessions_app.models import User
from sessions_app.team_settings.limits import change_settings


def change_limits(*, user: User, wanted: Mapping[str, int]) -> int:
    """Save the numbers. Returns how many differ. New window hours apply to open conversations."""
    with transaction.atomic():
        changed = change_settings(user=user, wanted=wanted)
        if "window_hours" in changed:
            before, after = changed["window_hours"]
            conversations = Conversation.objects.exclude(closes_at=None)
            conversations.update(closes_at=F("closes_at") + timedelta(hours=after - before))
    return len(changed)
