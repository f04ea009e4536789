"""Models of the session side, one file per noun.

A model reads only its own columns. Services in the other rooms write them.
"""

from sessions_app.models.context import Context
from sessions_app.models.installation import Installation
from sessions_app.models.links import Invitation, InvitationVisit, ScanLink
from sessions_app.models.login_attempt import (
    FINAL_LOGIN_STATES,
    LoginAttempt,
    LoginState,
    new_login_id,
)
from sessions_app.models.quarter_hour import QuarterHour
from sessions_app.models.session import (
    ACCOUNT_COLOURS,
    POLLED_STATES,
    SENDING_STATES,
    Session,
    SessionState,
)
from sessions_app.models.session_event import SessionEvent
from sessions_app.models.shared_folder import Receiver, SharedFolder
from sessions_app.models.stream import Stream
from sessions_app.models.team_introduction import TeamIntroduction
from sessions_app.models.team_settings import SettingChange, TeamSettingsRow
from sessions_app.models.worker_beat import WorkerBeat
from sessions_app.people.models import (
    ApiToken,
    PersonLink,
    SignedInBrowser,
    Team,
    ThrottleCount,
    User,
)
from sessions_app.recording.models import AuditEntry

__all__ = [
    "ACCOUNT_COLOURS",
    "FINAL_LOGIN_STATES",
    "POLLED_STATES",
    "SENDING_STATES",
    "ApiToken",
    "AuditEntry",
    "Context",
    "Installation",
    "Invitation",
    "InvitationVisit",
    "LoginAttempt",
    "LoginState",
    "PersonLink",
    "QuarterHour",
    "Receiver",
    "ScanLink",
    "Session",
    "SessionEvent",
    "SessionState",
    "SettingChange",
    "SharedFolder",
    "SignedInBrowser",
    "Stream",
    "Team",
    "TeamIntroduction",
    "TeamSettingsRow",
    "ThrottleCount",
    "User",
    "WorkerBeat",
    "new_login_id",
]
