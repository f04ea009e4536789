"""Admin pages for sessions and people. Secrets are masked, and rows of the worker are read-only."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.board.queries import state_label
from sessions_app.models import (
    AuditEntry,
    Context,
    Installation,
    Invitation,
    InvitationVisit,
    LoginAttempt,
    QuarterHour,
    ScanLink,
    Session,
    SessionEvent,
    SettingChange,
    SharedFolder,
    Stream,
    TeamIntroduction,
    TeamSettingsRow,
    ThrottleCount,
    WorkerBeat,
)
from sessions_app.pages.record_admin import KeptAdmin, ListedAdmin, RecordAdmin, masked
from sessions_app.people.models import ApiToken, PersonLink, SignedInBrowser, Team, User
from sessions_app.people.tokens import revoke_token
from sessions_app.sessions.health import health_of
from sessions_app.team_settings.limits import NAMES

admin.site.site_header = "WeiLink Console"
admin.site.site_title = "WeiLink Console"
admin.site.index_title = _("Maintenance")


@admin.register(User)
class PersonAdmin(ListedAdmin, UserAdmin):  # type: ignore[type-arg]
    """Rights are given by superusers only, and nobody else changes a superuser."""

    list_display = ("username", "first_name", "last_name", "email", "is_active", "last_login")
    list_filter = ("groups", "teams", "is_active", "is_staff", "is_superuser")
    filter_horizontal = ("groups", "user_permissions", "teams")
    fieldsets = (
        *(UserAdmin.fieldsets or ()),
        (_("Console"), {"fields": ("teams", "language", "time_zone", "must_change_password")}),
    )
    rights = ("is_staff", "is_superuser", "groups", "user_permissions", "teams")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = [str(name) for name in super().get_readonly_fields(request, obj)]
        return shown if _gives_rights(request) else [*shown, *self.rights]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_touch(request, obj) and super().has_delete_permission(request, obj)


def _gives_rights(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def _may_touch(request: HttpRequest, person: User | None) -> bool:
    """False for a person with more rights: a new password would make them the changer's."""
    return _gives_rights(request) or person is None or not (person.is_superuser or person.is_staff)


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(ListedAdmin, GroupAdmin):
    """What the members of a group may do in the admin is a right, too."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _gives_rights(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _gives_rights(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _gives_rights(request) and super().has_delete_permission(request, obj)


@admin.register(Team)
class TeamAdmin(ListedAdmin):
    list_display = ("name",)
    search_fields = ("name",)


@admin.register(ApiToken)
class ApiTokenAdmin(KeptAdmin):
    """Tokens are created at `/account/` and by `manage.py api_token`, which show the secret once.

    Here they can be renamed and revoked.
    """

    list_display = (
        "name", "owner", "tail", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at",
    )  # fmt: skip
    list_filter = ("revoked_at", "last_used_at")
    search_fields = ("name", "owner__username", "tail")
    list_select_related = ("owner",)
    actions = ("revoke",)
    editable_fields = ("name",)
    digest_shown = masked("digest", _("digest"))
    fields = (
        "name", "owner", "tail", "digest_shown", "scopes", "created_at", "last_used_at",
        "expires_at", "revoked_at",
    )  # fmt: skip

    @admin.action(description=_("Revoke the selected tokens"), permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        for token in chosen:
            revoke_token(token)


@admin.register(SignedInBrowser)
class SignedInBrowserAdmin(RecordAdmin):
    """Owners sign out their browsers at `/account/`."""

    list_display = ("user", "address", "browser", "signed_in_at", "seen_at", "expire_date")
    search_fields = ("user__username", "address", "browser")
    list_select_related = ("user",)
    date_hierarchy = "seen_at"
    key_shown = masked("session_key", _("digest"))
    fields = (
        "user", "key_shown", "browser", "address", "signed_in_at", "seen_at", "expire_date",
    )  # fmt: skip


@admin.register(PersonLink)
class PersonLinkAdmin(RecordAdmin):
    """Links are made, shown once and revoked at `/people/`."""

    list_display = (
        "person", "is_invitation", "made_by", "created_at", "expires_at", "used_at", "ended_at",
    )  # fmt: skip
    list_filter = ("is_invitation",)
    search_fields = ("person__username", "made_by__username")
    list_select_related = ("person", "made_by")
    date_hierarchy = "created_at"
    digest_shown = masked("digest", _("digest"))
    fields = (
        "person", "is_invitation", "digest_shown", "roles", "teams", "made_by", "created_at",
        "expires_at", "used_at", "ended_at",
    )  # fmt: skip


@admin.register(Session)
class SessionAdmin(KeptAdmin):
    """Names and states are changed on the board, which notifies the worker."""

    list_display = (
        "name", "how_it_is", "bot_id", "owner_id", "team", "is_default",
        "last_poll_at", "last_message_at",
    )  # fmt: skip
    list_filter = ("state", "team", "is_default")
    search_fields = ("name", "bot_id", "owner_id")
    list_select_related = ("team",)
    editable_fields = ("colour",)
    token_shown = masked("encrypted_token", _("bot token"))
    cursor_shown = masked("cursor", _("cursor"))
    fields = (
        "name", "team", "colour", "is_default", "state", "state_since", "error_code",
        "error_detail", "errors_in_row", "next_poll_at", "bot_id", "owner_id", "base_url",
        "token_shown", "cursor_shown", "hold_ms", "generation", "gives_receipts", "created_at",
        "bound_at", "last_poll_at", "last_message_at", "last_sent_at", "lease_owner",
    )  # fmt: skip

    @admin.display(description=_("state"), ordering="state")
    def how_it_is(self, session: Session) -> str:
        return state_label(health_of(session, now=timezone.now()))


@admin.register(Context)
class ContextAdmin(RecordAdmin):
    list_display = ("user_id", "session", "received_at", "replies_used", "last_reply_at")
    list_filter = ("session",)
    search_fields = ("user_id", "session__name")
    list_select_related = ("session",)
    date_hierarchy = "received_at"
    token_shown = masked("encrypted_token", _("context token"))
    fields = (
        "session", "user_id", "token_shown", "received_at", "replies_used", "last_reply_at",
        "first_seen_at", "refused_at",
    )  # fmt: skip


@admin.register(LoginAttempt)
class LoginAttemptAdmin(RecordAdmin):
    list_display = ("session_name", "status", "started_by", "created_at", "finished_at")
    list_filter = ("status",)
    search_fields = ("session_name", "started_by__username")
    list_select_related = ("started_by",)
    qrcode_shown = masked("qrcode", _("handle to poll with"))
    result_shown = masked("encrypted_result", _("credentials of another account"))
    fields = (
        "session_name", "session", "team", "started_by", "status", "version", "qr_number",
        "qrcode_shown", "result_shown", "error_code", "error_detail", "created_at",
        "expires_at", "finished_at",
    )  # fmt: skip


@admin.register(ScanLink)
class ScanLinkAdmin(RecordAdmin):
    list_display = (
        "session_name", "made_by", "created_at", "expires_at", "revoked_at", "used_at",
    )  # fmt: skip
    list_filter = ("team",)
    search_fields = ("session_name", "made_by__username")
    list_select_related = ("made_by",)
    fields = (
        "session_name", "session", "team", "made_by", "created_at", "expires_at", "revoked_at",
        "used_at", "started_at",
    )  # fmt: skip


@admin.register(Invitation)
class InvitationAdmin(RecordAdmin):
    list_display = ("prefix", "team", "label", "made_by", "created_at", "expires_at", "revoked_at")
    list_filter = ("team",)
    search_fields = ("prefix", "label", "made_by__username")
    list_select_related = ("team", "made_by")
    fields = (
        "prefix", "team", "label", "per_hour", "in_all", "made_by", "created_at", "expires_at",
        "revoked_at", "last_number", "unscanned",
    )  # fmt: skip


@admin.register(InvitationVisit)
class InvitationVisitAdmin(RecordAdmin):
    list_display = ("invitation", "session", "created_at", "came_at")
    list_filter = ("invitation",)
    search_fields = ("invitation__prefix", "session__name")
    list_select_related = ("invitation", "session")
    fields = ("invitation", "session", "created_at", "came_at")


@admin.register(QuarterHour)
class QuarterHourAdmin(RecordAdmin):
    list_display = ("began_at", "session", "heard", "errors")
    list_filter = ("heard",)
    search_fields = ("session__name",)
    list_select_related = ("session",)


@admin.register(ThrottleCount)
class ThrottleCountAdmin(RecordAdmin):
    list_display = ("__str__", "full_at", "taken")
    search_fields = ("name",)


@admin.register(SessionEvent)
class SessionEventAdmin(RecordAdmin):
    list_display = ("at", "session", "kind", "state", "code", "who")
    list_filter = ("kind", "state")
    search_fields = ("session__name", "code", "detail", "who__username")
    list_select_related = ("session", "who")
    date_hierarchy = "at"


@admin.register(TeamIntroduction)
class TeamIntroductionAdmin(RecordAdmin):
    """Edited at `/settings/`, where a logo is made anew from what was uploaded."""

    list_display = ("team", "name", "changed_by", "changed_at")
    search_fields = ("team__name", "name")
    list_select_related = ("team", "changed_by")
    fields = ("team", "name", "text", "changed_by", "changed_at")


@admin.register(AuditEntry)
class AuditEntryAdmin(RecordAdmin):
    """The page for people is `/people/audit/`."""

    list_display = (
        "at", "action", "actor_name", "token", "door", "address", "object_kind", "object_name",
    )  # fmt: skip
    list_filter = ("action", "door", "object_kind")
    search_fields = ("actor_name", "object_name", "token")
    show_full_result_count = False
    date_hierarchy = "at"


@admin.register(TeamSettingsRow)
class TeamSettingsAdmin(RecordAdmin):
    """Edited at `/settings/`, which records who changed what."""

    list_display = ("__str__", *NAMES)
    search_fields = ("pk",)


@admin.register(SettingChange)
class SettingChangeAdmin(RecordAdmin):
    list_display = ("at", "who", "name", "before", "after")
    list_filter = ("name",)
    search_fields = ("name", "who__username")
    list_select_related = ("who",)
    date_hierarchy = "at"


@admin.register(SharedFolder)
class SharedFolderAdmin(RecordAdmin):
    list_display = ("path", "receiver", "default_name", "error_code", "seen_at")
    list_filter = ("receiver",)
    search_fields = ("path",)
    fields = (
        "path", "receiver", "handed_over_at", "default_name", "error_code", "error_detail",
        "set_aside", "seen_at",
    )  # fmt: skip


@admin.register(Installation)
class InstallationAdmin(RecordAdmin):
    """Released at `/settings/release/`."""

    list_display = ("__str__", "held_at", "released_at", "moved_at")
    search_fields = ("held_of", "moved_to")


@admin.register(Stream)
class StreamAdmin(RecordAdmin):
    list_display = ("key", "last_number")
    search_fields = ("key",)


@admin.register(WorkerBeat)
class WorkerBeatAdmin(RecordAdmin):
    list_display: Any = ("worker_id", "host", "pid", "started_at", "heard_at")
    list_filter = ("host",)
    search_fields = ("worker_id", "host")
