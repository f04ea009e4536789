"""A user's new password, and what ends with the old one."""

from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest

from sessions_app.people import browsers, tokens
from sessions_app.people.models import User


def change_own(request: HttpRequest, *, password: str, ends_tokens: bool = False) -> int:
    """Give the signed-in user this password. Returns how many API tokens were revoked.

    This browser stays signed in, under a new key; all other browsers of the user are signed out.
    """
    user = request.user
    assert isinstance(user, User)
    with transaction.atomic():
        user.set_password(password)
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])
        ended = tokens.revoke_all(user) if ends_tokens else 0
        update_session_auth_hash(request, user)
        browsers.sign_out_others(user, request.session)
    return ended
