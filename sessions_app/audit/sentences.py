"""A label and a sentence for each action of the audit log, in the reader's language. Pure."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from sessions_app.recording.actions import Action, Door, Kind
from sessions_app.recording.models import AuditEntry
from sessions_app.text.unseen import apart

A = Action
SECTIONS: tuple[tuple[Any, tuple[tuple[Action, Any, Any], ...]], ...] = (
    (
        _("Signing in"),
        (
            (A.SIGNED_IN, _("Signed in"), _("%(who)s signed in.")),
            (
                A.SIGN_IN_FAILED,
                _("Sign-in failed"),
                _("Signing in as %(name)s failed: wrong username or password."),
            ),
            (A.SIGNED_OUT, _("Signed out"), _("%(who)s signed out.")),
            (
                A.BROWSERS_ENDED,
                _("Browsers signed out"),
                _("%(who)s signed out browsers of %(name)s. Number of browsers: %(count)s."),
            ),
            (
                A.PASSWORD_CHANGED,
                _("Password changed"),
                _("%(who)s changed the password of %(name)s."),
            ),
            (
                A.TOKEN_MADE,
                _("API token created"),
                _("%(who)s created the API token %(name)s of %(owner)s; it was shown once."),
            ),
            (
                A.TOKEN_REVOKED,
                _("API token revoked"),
                _("%(who)s revoked the API token %(name)s of %(owner)s."),
            ),
        ),
    ),
    (
        _("People and teams"),
        (
            (A.PERSON_ADDED, _("Person added"), _("%(who)s added %(name)s.")),
            (
                A.PERSON_RENAMED,
                _("Username changed"),
                _("%(who)s changed the username %(old)s to %(new)s."),
            ),
            (A.PERSON_DISABLED, _("Person disabled"), _("%(who)s disabled %(name)s.")),
            (A.PERSON_ENABLED, _("Person enabled"), _("%(who)s enabled %(name)s again.")),
            (A.PERSON_DELETED, _("Person deleted"), _("%(who)s deleted %(name)s.")),
            (
                A.RIGHT_GIVEN,
                _("Admin right given"),
                _("%(who)s gave %(name)s a right: %(right)s."),
            ),
            (
                A.RIGHT_TAKEN,
                _("Admin right removed"),
                _("%(who)s took a right from %(name)s: %(right)s."),
            ),
            (A.ROLE_GIVEN, _("Role given"), _("%(who)s gave %(name)s the role %(what)s.")),
            (
                A.ROLE_TAKEN,
                _("Role removed"),
                _("%(who)s took the role %(what)s from %(name)s."),
            ),
            (
                A.TEAM_JOINED,
                _("Added to a team"),
                _("%(who)s added %(name)s to the team %(what)s."),
            ),
            (
                A.TEAM_LEFT,
                _("Removed from a team"),
                _("%(who)s removed %(name)s from the team %(what)s."),
            ),
            (
                A.PASSWORD_LINK_MADE,
                _("Password link created"),
                _("%(who)s created a link with which %(name)s chooses a password."),
            ),
            (
                A.PERSON_INVITED,
                _("Person invited"),
                _("%(who)s created a link with which somebody joins."),
            ),
            (
                A.PERSON_LINK_REVOKED,
                _("Link to join or for a password revoked"),
                _("%(who)s revoked a link to join or to choose a password."),
            ),
            (A.TEAM_ADDED, _("Team added"), _("%(who)s added the team %(name)s.")),
            (
                A.TEAM_RENAMED,
                _("Team renamed"),
                _("%(who)s renamed the team %(old)s to %(new)s."),
            ),
            (A.TEAM_DELETED, _("Team deleted"), _("%(who)s deleted the team %(name)s.")),
        ),
    ),
    (
        _("Accounts"),
        (
            (A.SESSION_ADDED, _("Account added"), _("%(who)s added the account “%(name)s”.")),
            (
                A.SESSION_CONNECTED,
                _("Account connected"),
                _("%(who)s connected the account “%(name)s” to the bot %(bot)s."),
            ),
            (
                A.SESSION_RENAMED,
                _("Account renamed"),
                _("%(who)s renamed the account “%(old)s” to “%(new)s”."),
            ),
            (
                A.SESSION_PAUSED,
                _("Account paused"),
                _("%(who)s paused the account “%(name)s”."),
            ),
            (
                A.SESSION_RESUMED,
                _("Account resumed"),
                _("%(who)s resumed the account “%(name)s”."),
            ),
            (
                A.SESSION_LOGGED_OUT,
                _("Account logged out"),
                _("%(who)s logged out the account “%(name)s”."),
            ),
            (
                A.SESSION_DELETED,
                _("Account deleted"),
                _("%(who)s deleted the account “%(name)s”."),
            ),
            (
                A.DEFAULT_CHANGED,
                _("Default account changed"),
                _("%(who)s made “%(name)s” the default account."),
            ),
            (
                A.FOLDER_HANDED_OVER,
                _("Receiving handed over"),
                _("%(who)s handed over receiving for the folder %(name)s."),
            ),
            (
                A.FOLDER_TAKEN_BACK,
                _("Receiving taken back"),
                _("%(who)s took back receiving for the folder %(name)s."),
            ),
            (
                A.LINK_MADE,
                _("Scan link created"),
                _("%(who)s created a scan link for the account “%(name)s”."),
            ),
            (
                A.LINK_REVOKED,
                _("Scan link revoked"),
                _("%(who)s revoked a scan link for the account “%(name)s”."),
            ),
            (
                A.INVITATION_MADE,
                _("Invitation created"),
                _("%(who)s created the invitation “%(name)s”."),
            ),
            (
                A.INVITATION_REVOKED,
                _("Invitation revoked"),
                _("%(who)s revoked the invitation “%(name)s”."),
            ),
        ),
    ),
    (
        _("Conversations"),
        (
            (
                A.CONVERSATION_ASSIGNED,
                _("Conversation assigned"),
                _("%(who)s assigned conversation %(id)s to %(to)s."),
            ),
            (
                A.CONVERSATION_UNASSIGNED,
                _("Conversation unassigned"),
                _("%(who)s unassigned conversation %(id)s."),
            ),
            (
                A.CONVERSATION_TRANSFERRED,
                _("Conversation transferred"),
                _("%(who)s transferred conversation %(id)s to the team %(to)s."),
            ),
            (
                A.CONVERSATION_RESOLVED,
                _("Conversation resolved"),
                _("%(who)s resolved conversation %(id)s."),
            ),
            (
                A.WORK_UNDONE,
                _("Change undone"),
                _("%(who)s undid a change of conversation %(id)s."),
            ),
            (
                A.REPLY_SENT,
                _("Reply sent"),
                _("%(who)s sent a reply in conversation %(id)s as “%(account)s”."),
            ),
            (
                A.REPLY_SENT_AGAIN,
                _("Reply sent again"),
                _("%(who)s sent a reply again in conversation %(id)s as “%(account)s”."),
            ),
            (
                A.CUSTOMER_EXPORTED,
                _("All data of a customer downloaded"),
                _("%(who)s downloaded all that is kept about customer %(id)s."),
            ),
            (
                A.CUSTOMER_FORGOTTEN,
                _("Customer forgotten"),
                _("%(who)s deleted all that was kept about customer %(id)s."),
            ),
        ),
    ),
    (
        _("Installation"),
        (
            (
                A.SETTING_CHANGED,
                _("Setting changed"),
                _("%(who)s changed the setting “%(name)s” from %(old)s to %(new)s."),
            ),
            (
                A.SESSIONS_EXPORTED,
                _("Accounts exported"),
                _("%(who)s wrote accounts with their credentials into %(name)s. "
                    "Number of accounts: %(count)s."),
            ),
            (
                A.SESSIONS_IMPORTED,
                _("Accounts imported"),
                _("%(who)s imported accounts from %(name)s. Number of accounts: %(count)s."),
            ),
            (A.BACKUP_MADE, _("Backup made"), _("%(who)s made the backup %(place)s.")),
            (
                A.BACKUP_RESTORED,
                _("Backup restored"),
                _("%(who)s restored a backup: %(place)s."),
            ),
            (
                A.DATABASE_COPIED,
                _("Database copied"),
                _("%(who)s copied this database to %(place)s."),
            ),
            (
                A.DATABASE_TAKEN_BACK,
                _("Database taken back"),
                _("%(who)s took this database back after it was copied."),
            ),
            (
                A.INSTALLATION_HELD,
                _("Installation held"),
                _("%(who)s copied this installation from %(place)s. It was held."),
            ),
            (
                A.INSTALLATION_RELEASED,
                _("Installation released"),
                _("%(who)s released this installation."),
            ),
            (A.AUDIT_EXPORTED, _("Audit log exported"), _("%(who)s exported the audit log.")),
            (
                A.AUDIT_CUT,
                _("Audit log shortened"),
                _("%(who)s deleted entries of the audit log before %(until)s. "
                    "Number of entries: %(count)s."),
            ),
        ),
    ),
)  # fmt: skip
LABELS = {action: label for _title, rows in SECTIONS for action, label, _sentence in rows}
_SENTENCES = {action: sentence for _title, rows in SECTIONS for action, _label, sentence in rows}
KINDS: dict[Kind, Any] = {
    Kind.PERSON: _("Person"),
    Kind.TEAM: _("Team"),
    Kind.TOKEN: _("API token"),
    Kind.SESSION: _("Account"),
    Kind.LINK: _("Scan link"),
    Kind.INVITATION: _("Invitation"),
    Kind.FOLDER: _("Folder"),
    Kind.CONVERSATION: _("Conversation"),
    Kind.SETTING: _("Setting"),
    Kind.INSTALLATION: _("Installation"),
    Kind.AUDIT_LOG: _("Audit log"),
    Kind.CUSTOMER: _("Customer"),
}
DOORS: dict[Door, Any] = {
    Door.BROWSER: _("Browser"),
    Door.API: _("API"),
    Door.COMMAND: _("Command line"),
    Door.CONSOLE: _("By the console itself"),
}
_RIGHTS = {
    "is_superuser": _("all rights in Django's admin"),
    "is_staff": _("access to Django's admin"),
}


class _Facts(dict[str, str]):
    """What a sentence names. A fact that an old row lacks is shown as a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


def who(entry: AuditEntry) -> str:
    """The person, or what acted without one."""
    if entry.actor_name:
        return apart(entry.actor_name)
    return (
        gettext("The console") if entry.door == Door.CONSOLE else pgettext("who acted", "Somebody")
    )


def sentence(entry: AuditEntry, settings: Mapping[str, str]) -> str:
    """`settings`: label of each setting, by its name. An unknown action shows its code."""
    if entry.action not in _SENTENCES:
        return f"{who(entry)}: {entry.action}"
    facts = _Facts({key: apart(str(value)) for key, value in entry.details.items()})
    facts |= {"who": who(entry), "id": entry.object_id, "name": _name(entry, settings)}
    if right := _RIGHTS.get(entry.details.get("right", "")):
        facts["right"] = str(right)
    return str(_SENTENCES[Action(entry.action)]) % facts


def _name(entry: AuditEntry, settings: Mapping[str, str]) -> str:
    if entry.object_kind == Kind.SETTING:
        return settings.get(entry.object_id, entry.object_name)
    if not entry.object_name and entry.action == Action.SIGN_IN_FAILED:
        return gettext("somebody unknown")
    return apart(entry.object_name) or "–"
