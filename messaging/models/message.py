"""Messages of a conversation, incoming and outgoing, and each attempt to send one."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.conversation import Conversation
from sessions_app.models import Session

MESSAGE_STREAM = "message"
"""The stream that numbers messages, notes and events."""


class Direction(models.TextChoices):
    """`in` and `out` are messages with the contact; notes and events are for the team only.

    Notes and events share ids, versions and paging with messages. They never appear at WeChat, in
    the API, in previews or in unread counts; `SPOKEN` excludes them.
    """

    IN = "in", _("in")
    OUT = "out", _("out")
    NOTE = "note", _("note")
    EVENT = "event", _("event")


SPOKEN = (Direction.IN, Direction.OUT)


class EventCode(models.TextChoices):
    """What an event line in a conversation reports; `event_words` has the sentences."""

    ASSIGNED = "assigned", _("assigned")
    UNASSIGNED = "unassigned", _("unassigned")
    RELEASED = "released", _("back in the queue")
    SNOOZED = "snoozed", _("snoozed")
    WOKEN = "woken", _("woken")
    RESOLVED = "resolved", _("resolved")
    REOPENED = "reopened", _("reopened")
    UNANSWERED = "unanswered", _("not answered after all")
    TRANSFERRED = "transferred", _("transferred")
    LABELLED = "labelled", _("labelled")
    UNLABELLED = "unlabelled", _("unlabelled")
    UNDONE = "undone", _("undone")
    RECEIVED_ELSEWHERE = "received_elsewhere", _("received elsewhere")
    ANSWERED_ELSEWHERE = "answered_elsewhere", _("answered elsewhere")
    BROKE_OFF = "broke_off", _("an answer broke off")


class MessageKind(models.TextChoices):
    TEXT = "text", _("text")
    IMAGE = "image", _("picture")
    VOICE = "voice", _("voice")
    VIDEO = "video", _("video")
    FILE = "file", _("file")
    UNSUPPORTED = "unsupported", _("unsupported")


class MessageStatus(models.TextChoices):
    RECEIVED = "received", _("received")
    QUEUED = "queued", _("queued")
    SENDING = "sending", _("sending")
    SENT = "sent", _("accepted by WeChat")
    FAILED = "failed", _("not sent")
    UNCONFIRMED = "unconfirmed", _("not confirmed")
    CANCELLED = "cancelled", _("cancelled")


class Message(models.Model):
    """One message, note or event. `id` comes from the stream "message", so ids follow commit order.

    (`session`, `dedupe_key`) identifies a repeated message: the key is WeChat's message id, or a
    hash if there is none.
    """

    id = models.BigIntegerField(primary_key=True)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages"
    )
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="messages")
    bot_id = models.CharField(_("bot id"), max_length=200, blank=True)
    direction = models.CharField(_("direction"), max_length=5, choices=Direction.choices)
    kind = models.CharField(
        _("kind"), max_length=12, choices=MessageKind.choices, default=MessageKind.TEXT
    )
    text = models.TextField(_("text"), blank=True)
    quote_text = models.TextField(_("quoted text"), blank=True)
    quote_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    # Only for direction "event": what happened, and the name, time or label that it is about.
    event = models.CharField(_("event"), max_length=24, blank=True, choices=EventCode.choices)
    event_detail = models.TextField(_("event's detail"), blank=True)
    # Sent by another program that uses the same folder, with its text.
    sent_elsewhere = models.BooleanField(_("sent by another program"), default=False)

    # A decimal string: WeChat's 64-bit id may exceed 2**63.
    wire_id = models.CharField(_("WeChat's message id"), max_length=40, blank=True)
    dedupe_key = models.CharField(max_length=80)
    # WeChat's JSON. Encrypted, because it holds a context token and file keys.
    encrypted_raw = models.BinaryField(
        _("as it came, encrypted"), blank=True, default=bytes, db_column="sealed_raw"
    )

    status = models.CharField(
        _("status"), max_length=12, choices=MessageStatus.choices, default=MessageStatus.RECEIVED
    )
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error_detail = models.CharField(_("error detail"), max_length=400, blank=True)
    # A failed or unconfirmed message holds the contact's next ones until an agent decides.
    holds_queue = models.BooleanField(_("waits for a decision"), default=False)
    # Accepted without an id although the session gave ids before; no agent has decided yet. It does
    # not hold the contact's next messages.
    missing_receipt = models.BooleanField(_("lacks its receipt"), default=False)
    overrides_limits = models.BooleanField(_("sent in spite of our count"), default=False)

    created_at = models.DateTimeField(_("written"), default=timezone.now)
    stored_at = models.DateTimeField(_("stored"), default=timezone.now)
    recalled_at = models.DateTimeField(_("recalled"), null=True, blank=True)
    # The writer may take it back until then; it is not claimed before.
    release_at = models.DateTimeField(_("held back until"), null=True, blank=True)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # The key of the draft it was posted with, so that a double click makes one message.
    draft_key = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    # In the log: from a poll to the page, and from a post to WeChat's answer. Nullable without a
    # default, so that adding the column rewrites no table.
    trace_id = models.CharField(max_length=32, null=True, blank=True)  # noqa: DJ001
    client_id = models.CharField(_("client id"), max_length=80, blank=True, db_index=True)
    claimed_by = models.CharField(_("claimed by"), max_length=64, blank=True)
    version = models.BigIntegerField(_("version"), default=0, editable=False)

    # Not columns. `queries.stored_messages` sets the first (see `queue.held_by`),
    # `queries.on_pages` the others: as much of a text as a page shows.
    held_by: int | None
    text_shown: str
    quote_shown: str
    quoted_shown: str | None

    class Meta:
        ordering = ["id"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["session", "dedupe_key"], name="message_once"),
            models.UniqueConstraint(fields=["conversation", "draft_key"], name="draft_once"),
        ]
        indexes = [
            models.Index(fields=["conversation", "id"], name="message_thread"),
            models.Index(fields=["session", "stored_at"], name="message_by_day"),
            models.Index(fields=["session", "wire_id"], name="message_quoted"),
            models.Index(fields=["conversation", "version"], name="message_changes"),
            models.Index(
                fields=["status", "next_try_at"],
                name="message_outbox",
                condition=models.Q(status__in=["queued", "sending"]),
            ),
            models.Index(
                fields=["conversation", "id"],
                name="message_holds",
                condition=models.Q(holds_queue=True),
            ),
            models.Index(
                fields=["conversation", "id"],
                name="message_undecided",
                condition=models.Q(holds_queue=True) | models.Q(missing_receipt=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.pk}"


class SendAttempt(models.Model):
    """One attempt to send, stored before the first byte leaves. A `client_id` is used only once."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attempts")
    client_id = models.CharField(_("client id"), max_length=80, unique=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("send attempt")
        verbose_name_plural = _("send attempts")

    def __str__(self) -> str:
        return self.client_id


class RawAnswer(models.Model):
    """An answer of WeChat that could not be stored as messages; shown on the session's page."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="raw_answers")
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    reason = models.CharField(_("reason"), max_length=200)
    digest = models.CharField(max_length=64)
    encrypted_body = models.BinaryField(_("as it came, encrypted"), db_column="sealed_body")

    class Meta:
        ordering = ["-received_at"]
        verbose_name = _("unreadable answer")
        verbose_name_plural = _("unreadable answers")
        constraints = [
            models.UniqueConstraint(fields=["session", "digest"], name="raw_answer_once")
        ]

    def __str__(self) -> str:
        return f"{self.session_id} {self.received_at:%Y-%m-%d %H:%M}"
