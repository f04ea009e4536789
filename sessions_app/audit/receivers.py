"""Records sign-ins and changed people, roles and teams, whoever changes them, the admin too.

Django tells of these by signals. They only write rows of the audit log; nothing else hangs on them.
"""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save

from sessions_app.people.models import Team, User
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, person_subject, record

WATCHED = ("username", "password", "is_active", "is_staff", "is_superuser")
_SWITCHES = (
    ("is_active", Action.PERSON_ENABLED, Action.PERSON_DISABLED),
    ("is_superuser", Action.RIGHT_GIVEN, Action.RIGHT_TAKEN),
    ("is_staff", Action.RIGHT_GIVEN, Action.RIGHT_TAKEN),
)


def connect() -> None:
    """Called once, when the app is loaded. The ids keep a second call from recording twice."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit signed in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit signed out")
    for model in (User, Team):
        pre_save.connect(_before_save, sender=model, dispatch_uid=f"audit before {model}")
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"audit deleted {model}")
    post_save.connect(_person_saved, sender=User, dispatch_uid="audit person")
    post_save.connect(_team_saved, sender=Team, dispatch_uid="audit team")
    for through in (User.groups.through, User.teams.through):
        m2m_changed.connect(_given, sender=through, dispatch_uid=f"audit {through}")


def _signed_in(sender: Any, user: User, **_facts: Any) -> None:
    record(Action.SIGNED_IN, person_subject(user), user=user)


def _signed_out(sender: Any, user: User | None, **_facts: Any) -> None:
    if user is not None:
        record(Action.SIGNED_OUT, person_subject(user), user=user)


def _before_save(
    sender: type[Model], instance: Any, raw: bool, update_fields: Any, **_facts: Any
) -> None:
    """Keep what the row was, for the receivers below; only if a watched column may change."""
    watched = WATCHED if sender is User else ("name",)
    wanted = [name for name in watched if update_fields is None or name in update_fields]
    # Django renews a password's hash by itself, and saves nothing but that.
    if raw or instance._state.adding or not wanted or set(update_fields or ()) == {"password"}:
        instance._before = None
        return
    instance._before = sender._default_manager.filter(pk=instance.pk).values(*wanted).first()


def _person_saved(
    sender: type[Model], instance: User, created: bool, raw: bool, **_facts: Any
) -> None:
    if raw:
        return
    subject = person_subject(instance)
    if created:
        record(Action.PERSON_ADDED, subject)
        if instance.is_superuser:
            record(Action.RIGHT_GIVEN, subject, right="is_superuser")
        return
    before: dict[str, Any] = getattr(instance, "_before", None) or {}
    if before.get("username", instance.username) != instance.username:
        record(Action.PERSON_RENAMED, subject, old=before["username"], new=instance.username)
    if before.get("password", instance.password) != instance.password:
        record(Action.PASSWORD_CHANGED, subject)
    for name, given, taken in _SWITCHES:
        now = getattr(instance, name)
        if before.get(name, now) != now:
            record(given if now else taken, subject, right=name)


def _team_subject(team: Team) -> Subject:
    return Subject(Kind.TEAM, team.pk, team.name, team.pk)


def _team_saved(
    sender: type[Model], instance: Team, created: bool, raw: bool, **_facts: Any
) -> None:
    before: dict[str, Any] = getattr(instance, "_before", None) or {}
    if raw:
        return
    if created:
        record(Action.TEAM_ADDED, _team_subject(instance))
    elif before.get("name", instance.name) != instance.name:
        old, new = before["name"], instance.name
        record(Action.TEAM_RENAMED, _team_subject(instance), old=old, new=new)


def _deleted(sender: type[Model], instance: Any, **_facts: Any) -> None:
    if isinstance(instance, User):
        record(Action.PERSON_DELETED, person_subject(instance))
    else:
        record(Action.TEAM_DELETED, _team_subject(instance))


def _given(
    sender: type[Model],
    instance: Any,
    action: str,
    reverse: bool,
    pk_set: Collection[int] | None,
    **_facts: Any,
) -> None:
    """Roles or teams of people changed; `reverse`: from the side of the role or the team.

    One row for each role or team, so that each can be found.
    """
    is_team = sender is User.teams.through
    field = "teams" if is_team else "groups"
    if action == "pre_clear":
        people = User.objects.filter(**{field: instance}) if reverse else None
        pks = people if people is not None else getattr(instance, field).all()
        pk_set = set(pks.values_list("pk", flat=True))
    elif action not in ("post_add", "post_remove"):
        return
    if not pk_set:
        return
    is_given = action == "post_add"
    if reverse:
        for person in User.objects.filter(pk__in=pk_set).order_by("pk"):
            _record_given(person, [instance], is_team=is_team, is_given=is_given)
        return
    things = (Team if is_team else Group)._default_manager.filter(pk__in=pk_set)
    _record_given(instance, list(things.order_by("pk")), is_team=is_team, is_given=is_given)


def _record_given(person: User, things: list[Any], *, is_team: bool, is_given: bool) -> None:
    subject = person_subject(person)
    for thing in things:
        if is_team:
            action = Action.TEAM_JOINED if is_given else Action.TEAM_LEFT
            found = Subject(subject.kind, subject.pk, subject.name, thing.pk)
        else:
            action = Action.ROLE_GIVEN if is_given else Action.ROLE_TAKEN
            found = subject
        record(action, found, what=thing.name)
