"""What the audit log records: a closed list of actions, and the kinds of things that they change.

`sessions_app.audit.sentences` has a sentence for each. Values are stored, so they never change.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What an action was done to."""

    PERSON = "person"
    TEAM = "team"
    TOKEN = "token"  # noqa: S105 - a kind
    SESSION = "session"
    LINK = "link"
    INVITATION = "invitation"
    FOLDER = "folder"
    CONVERSATION = "conversation"
    SETTING = "setting"
    INSTALLATION = "installation"
    AUDIT_LOG = "audit_log"
    CUSTOMER = "customer"


class Action(StrEnum):
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    BROWSERS_ENDED = "browsers_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an action
    TOKEN_MADE = "token_made"  # noqa: S105
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    PERSON_ADDED = "person_added"
    PERSON_RENAMED = "person_renamed"
    PERSON_DISABLED = "person_disabled"
    PERSON_ENABLED = "person_enabled"
    PERSON_DELETED = "person_deleted"
    RIGHT_GIVEN = "right_given"
    RIGHT_TAKEN = "right_taken"
    ROLE_GIVEN = "role_given"
    ROLE_TAKEN = "role_taken"
    TEAM_JOINED = "team_joined"
    TEAM_LEFT = "team_left"
    PASSWORD_LINK_MADE = "password_link_made"  # noqa: S105
    PERSON_INVITED = "person_invited"
    PERSON_LINK_REVOKED = "person_link_revoked"
    TEAM_ADDED = "team_added"
    TEAM_RENAMED = "team_renamed"
    TEAM_DELETED = "team_deleted"
    SESSION_ADDED = "session_added"
    SESSION_CONNECTED = "session_connected"
    SESSION_RENAMED = "session_renamed"
    SESSION_PAUSED = "session_paused"
    SESSION_RESUMED = "session_resumed"
    SESSION_LOGGED_OUT = "session_logged_out"
    SESSION_DELETED = "session_deleted"
    DEFAULT_CHANGED = "default_changed"
    FOLDER_HANDED_OVER = "folder_handed_over"
    FOLDER_TAKEN_BACK = "folder_taken_back"
    LINK_MADE = "link_made"
    LINK_REVOKED = "link_revoked"
    INVITATION_MADE = "invitation_made"
    INVITATION_REVOKED = "invitation_revoked"
    CONVERSATION_ASSIGNED = "conversation_assigned"
    CONVERSATION_UNASSIGNED = "conversation_unassigned"
    CONVERSATION_TRANSFERRED = "conversation_transferred"
    CONVERSATION_RESOLVED = "conversation_resolved"
    WORK_UNDONE = "work_undone"
    REPLY_SENT = "reply_sent"
    REPLY_SENT_AGAIN = "reply_sent_again"
    CUSTOMER_FORGOTTEN = "customer_forgotten"
    CUSTOMER_EXPORTED = "customer_exported"
    SETTING_CHANGED = "setting_changed"
    SESSIONS_EXPORTED = "sessions_exported"
    SESSIONS_IMPORTED = "sessions_imported"
    BACKUP_MADE = "backup_made"
    BACKUP_RESTORED = "backup_restored"
    DATABASE_COPIED = "database_copied"
    DATABASE_TAKEN_BACK = "database_taken_back"
    INSTALLATION_HELD = "installation_held"
    INSTALLATION_RELEASED = "installation_released"
    AUDIT_EXPORTED = "audit_exported"
    AUDIT_CUT = "audit_cut"


class Door(StrEnum):
    """Through what somebody acted. `CONSOLE`: the console itself, such as its worker."""

    BROWSER = "browser"
    API = "api"
    COMMAND = "command"
    CONSOLE = "console"
