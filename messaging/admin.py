"""Admin pages for contacts, conversations and messages. Nearly everything is read-only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from messaging.conversations.finding import folded_name
from messaging.models import (
    Attachment,
    Contact,
    Conversation,
    Departure,
    Draft,
    ForgettingKey,
    Forgotten,
    Label,
    Mention,
    Message,
    ParkedReply,
    PostedKey,
    RawAnswer,
    Removal,
    SendAttempt,
    SweepPosition,
    TeamContact,
    Typing,
    Upload,
    WorkAction,
    WorkChange,
)
from sessions_app.pages.record_admin import KeptAdmin, RecordAdmin, RecordInline, masked


@admin.register(Contact)
class ContactAdmin(KeptAdmin):
    list_display = ("number_name", "user_id", "number", "created_at")
    list_filter = ("created_at",)
    search_fields = ("team_contacts__name", "user_id", "=number")
    editable_fields = ("colour",)
    fields = ("user_id", "number", "colour", "created_at")


@admin.register(TeamContact)
class TeamContactAdmin(KeptAdmin):
    """What each team calls a contact and notes about them."""

    list_display = ("name", "team", "contact")
    list_filter = ("team",)
    search_fields = ("name", "contact__user_id", "=contact__number")
    list_select_related = ("team", "contact")
    editable_fields = ("name", "note")
    fields = ("contact", "team", "name", "note")

    def save_model(self, request: HttpRequest, obj: TeamContact, form: Any, change: bool) -> None:
        obj.folded = folded_name(obj.name)
        super().save_model(request, obj, form, change)


@admin.register(Conversation)
class ConversationAdmin(RecordAdmin):
    list_display = (
        "__str__", "team", "session", "status", "assignee", "unread", "replies_used", "closes_at",
        "last_at",
    )  # fmt: skip
    list_filter = ("team", "session", "status")
    search_fields = ("team_contact__name", "contact__user_id", "last_text")
    list_select_related = ("contact", "team_contact", "team", "session", "assignee")
    date_hierarchy = "last_at"


@admin.register(Label)
class LabelAdmin(KeptAdmin):
    list_display = ("name", "team", "colour", "created_at")
    list_filter = ("team",)
    search_fields = ("name",)
    list_select_related = ("team",)
    editable_fields = ("name", "colour")
    fields = ("team", "name", "colour", "created_at")


@admin.register(Departure)
class DepartureAdmin(RecordAdmin):
    list_display = ("conversation", "team", "left_at")
    list_filter = ("team",)
    search_fields = ("conversation__team_contact__name", "conversation__contact__user_id")
    list_select_related = ("conversation__contact", "conversation__team_contact", "team")


@admin.register(WorkAction)
class WorkActionAdmin(RecordAdmin):
    list_display = ("code", "user", "created_at", "undone_count", "kept_count")
    list_filter = ("code",)
    search_fields = ("user__username",)
    list_select_related = ("user",)


@admin.register(WorkChange)
class WorkChangeAdmin(RecordAdmin):
    list_display = ("action", "conversation", "before", "after")
    search_fields = ("conversation__team_contact__name", "conversation__contact__user_id")
    list_select_related = ("action", "conversation__contact", "conversation__team_contact")


class AttachmentInline(RecordInline):
    model = Attachment
    fields = readonly_fields = ("position", "kind", "file_name", "size", "state", "error")


class SendAttemptInline(RecordInline):
    model = SendAttempt
    fields = readonly_fields = ("client_id", "started_at", "finished_at", "outcome")


@admin.register(Message)
class MessageAdmin(RecordAdmin):
    list_display = ("id", "conversation", "session", "direction", "kind", "status", "created_at")
    list_filter = ("direction", "kind", "status", "session", "holds_queue")
    search_fields = ("text", "=wire_id", "=client_id", "conversation__team_contact__name")
    list_select_related = ("conversation__contact", "conversation__team_contact", "session")
    show_full_result_count = False
    date_hierarchy = "created_at"
    inlines = (AttachmentInline, SendAttemptInline)
    raw_shown = masked("encrypted_raw", _("as it came"))
    fields = (
        "id", "conversation", "session", "bot_id", "direction", "kind", "text", "quote_text",
        "quote_of", "wire_id", "client_id", "raw_shown", "status", "error_code", "error_detail",
        "holds_queue", "overrides_limits", "sent_elsewhere", "event", "event_detail",
        "created_at", "stored_at", "settled_at",
        "release_at", "next_try_at", "recalled_at", "sent_by", "claimed_by",
    )  # fmt: skip


@admin.register(SendAttempt)
class SendAttemptAdmin(RecordAdmin):
    list_display = ("client_id", "message", "started_at", "finished_at", "outcome")
    list_filter = ("outcome",)
    search_fields = ("=client_id", "=message__id")
    list_select_related = ("message",)


@admin.register(Attachment)
class AttachmentAdmin(RecordAdmin):
    list_display = ("message", "kind", "file_name", "size", "state")
    list_filter = ("kind", "state")
    search_fields = ("file_name", "=message__id")
    list_select_related = ("message",)
    item_shown = masked("encrypted_item", _("item as it came"))
    upload_shown = masked("encrypted_upload", _("upload"))
    fields = (
        "message", "position", "kind", "file_name", "size", "content_type", "state", "error",
        "width", "height", "duration_ms", "transcript", "item_shown", "tries", "next_try_at",
        "stored_at", "stored_bytes", "upload_shown", "uploaded_at", "progress",
    )  # fmt: skip


@admin.register(Upload)
class UploadAdmin(RecordAdmin):
    """Files that somebody brought and has not sent yet."""

    list_display = ("file_name", "owner", "kind", "size", "created_at")
    list_filter = ("kind",)
    search_fields = ("file_name", "owner__username")
    list_select_related = ("owner",)
    fields = ("file_name", "owner", "kind", "size", "content_type", "stored_bytes", "created_at")


@admin.register(RawAnswer)
class RawAnswerAdmin(RecordAdmin):
    list_display = ("received_at", "session", "reason")
    list_filter = ("session",)
    search_fields = ("session__name", "reason")
    list_select_related = ("session",)
    body_shown = masked("encrypted_body", _("as it came"))
    fields = ("session", "received_at", "reason", "body_shown")


@admin.register(PostedKey)
class PostedKeyAdmin(RecordAdmin):
    """Which posts of the HTTP API were taken, by their keys."""

    list_display = ("key", "owner", "created_at")
    search_fields = ("key", "owner__username")
    list_select_related = ("owner",)
    date_hierarchy = "created_at"
    fields = ("key", "owner", "created_at", "answer")


@admin.register(Draft)
class DraftAdmin(RecordAdmin):
    list_display = ("conversation", "user", "kind", "updated_at")
    list_filter = ("kind",)
    search_fields = ("text", "user__username", "conversation__team_contact__name")
    list_select_related = ("conversation__contact", "conversation__team_contact", "user")
    date_hierarchy = "updated_at"


@admin.register(Mention)
class MentionAdmin(RecordAdmin):
    list_display = ("conversation", "user", "created_at", "seen_at")
    search_fields = ("user__username", "conversation__team_contact__name")
    list_select_related = ("conversation__contact", "conversation__team_contact", "user")
    date_hierarchy = "created_at"


@admin.register(ParkedReply)
class ParkedReplyAdmin(RecordAdmin):
    list_display = ("conversation", "by", "state", "created_at", "expires_at")
    list_filter = ("state",)
    search_fields = ("text", "by__username", "conversation__team_contact__name")
    list_select_related = ("conversation__contact", "conversation__team_contact", "by")
    date_hierarchy = "created_at"


@admin.register(Typing)
class TypingAdmin(RecordAdmin):
    list_display = ("conversation", "session", "wanted_until", "shown_at")
    search_fields = ("conversation__team_contact__name",)
    list_select_related = ("conversation__contact", "conversation__team_contact", "session")


@admin.register(ForgettingKey)
class ForgettingKeyAdmin(RecordAdmin):
    list_display = ("__str__", "last_at")
    search_fields = ("=id",)
    key_shown = masked("encrypted_key", _("key"))
    fields = ("key_shown", "last_at")


@admin.register(Forgotten)
class ForgottenAdmin(RecordAdmin):
    list_display = ("__str__", "written_until_ms")
    search_fields = ("digest",)
    show_full_result_count = False


@admin.register(Removal)
class RemovalAdmin(RecordAdmin):
    list_display = ("conversation_key", "team", "removed_at")
    list_filter = ("team",)
    search_fields = ("=conversation_key",)
    list_select_related = ("team",)


@admin.register(SweepPosition)
class SweepPositionAdmin(RecordAdmin):
    list_display = ("job", "last_key")
    search_fields = ("job",)
