"""`python -m tests.bench.console.rows`, in a console's environment: fills its database.

Prints JSON: the cookies of agents who are signed in, and an administrator's API token.
"""

import argparse
import json
import os

from tests.bench.wechat.bots import bot_id_of, token_of

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "weilink_site.settings")

ADMIN = "bench-admin"


def prepare() -> None:
    """Schema, static files, an administrator: what a first start does."""
    from sessions_app.people.models import User
    from weilink_site import first_run

    first_run.prepare_data()
    if not User.objects.filter(is_superuser=True).exists():
        first_run.make_administrator(ADMIN, "bench-pw")


def bind_sessions(count: int, url: str) -> None:
    """Sessions as they are after their scan; those that are there already get new tokens."""
    from django.utils import timezone

    from sessions_app.models import Session, SessionState, Team
    from sessions_app.sessions.names import name_key

    team, now = Team.objects.get(name="Everyone"), timezone.now()
    known = list(Session.objects.order_by("pk")[:count])
    fresh = [
        Session(name=f"Shop {number:04d}", name_key=name_key(f"Shop {number:04d}"), team=team)
        for number in range(len(known), count)
    ]
    for number, one in enumerate([*known, *fresh]):
        one.bot_id, one.token, one.base_url = bot_id_of(number), token_of(number), url
        one.owner_id = f"owner{number}@im.wechat"
        one.state, one.state_since, one.bound_at = SessionState.CONNECTED, now, now
        one.generation, one.last_poll_at, one.cursor = one.generation + 1, now, ""
        one.error_code = one.lease_owner = ""
    Session.objects.bulk_create(fresh, batch_size=500)
    changed = [
        "bot_id", "encrypted_token", "base_url", "owner_id", "state", "state_since", "bound_at",
        "generation", "last_poll_at", "cursor", "error_code", "lease_owner",
    ]  # fmt: skip
    Session.objects.bulk_update(known, changed, batch_size=50)


def sign_in_agents(count: int) -> list[str]:
    """Cookie headers of agents of the team, who are made if they are missing."""
    from django.contrib.auth.models import Group

    from sessions_app.models import Team, User
    from sessions_app.people.roles import Role

    for number in range(count):
        user, is_new = User.objects.get_or_create(username=f"agent{number:02d}")
        if is_new:
            user.set_unusable_password()
            user.save()
            user.groups.add(Group.objects.get(name=Role.AGENT))
            user.teams.set([Team.objects.get(name="Everyone")])
    return [_cookie(f"agent{number:02d}") for number in range(count)]


def _cookie(username: str) -> str:
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from sessions_app.models import User

    user = User.objects.get(username=username)
    kept = import_module(settings.SESSION_ENGINE).SessionStore()
    kept[SESSION_KEY] = str(user.pk)
    kept[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    kept[HASH_SESSION_KEY] = user.get_session_auth_hash()
    kept.save()
    return f"{settings.SESSION_COOKIE_NAME}={kept.session_key}"


def api_token() -> str:
    from sessions_app.models import User
    from sessions_app.people.tokens import issue_token

    owner = User.objects.filter(is_superuser=True).first()
    if owner is None:  # a crowd has its own people
        owner = User.objects.get(username="boss")
    return issue_token(owner=owner, name="bench")[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=0)
    parser.add_argument("--url", default="")
    parser.add_argument("--agents", type=int, default=20)
    options = parser.parse_args()
    import django

    django.setup()
    prepare()
    bind_sessions(options.sessions, options.url)
    cookies = sign_in_agents(options.agents)
    print(json.dumps({"cookies": cookies, "token": api_token()}))


if __name__ == "__main__":
    main()
