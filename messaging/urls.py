"""`/inbox/`."""

from django.urls import path

from messaging.inbox.views import (
    answering,
    composing,
    contact,
    draft_files,
    inbox,
    media,
    message,
    work,
)
from messaging.retention import views as person

app_name = "inbox"

urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("filters/", inbox.filters, name="filters"),
    path("work/assign/", work.assign, name="assign"),
    path("work/label/", work.label, name="label"),
    path("work/snooze/", work.snooze, name="snooze"),
    path("work/resolve/", work.resolve, name="resolve"),
    path("work/reopen/", work.reopen, name="reopen"),
    path("work/transfer/", work.transfer, name="transfer"),
    path("work/undo/", work.undo, name="undo"),
    path("changes/", inbox.changes, name="changes"),
    path("told/", inbox.told, name="told"),
    path("<int:pk>/", inbox.conversation, name="conversation"),
    path("<int:pk>/reply/", message.reply, name="reply"),
    path("<int:pk>/draft/", composing.draft, name="draft"),
    path("<int:pk>/draft/files/order/", draft_files.order, name="draft_files_order"),
    path(
        "<int:pk>/draft/files/<slug:upload_id>/remove/",
        draft_files.remove,
        name="remove_draft_file",
    ),
    path("<int:pk>/account/", answering.see_account, name="see_account"),
    path("<int:pk>/here/", composing.here, name="here"),
    path("<int:pk>/people/", composing.people, name="people"),
    path("presence/", composing.who_is_there, name="presence"),
    path("<int:pk>/read/", contact.read, name="read"),
    path("<int:pk>/name/", contact.name, name="name"),
    path("<int:pk>/note/", contact.note, name="contact_note"),
    path("messages/<int:pk>/text/", media.text, name="text"),
    path("<int:pk>/export/", person.export, name="export"),
    path("<int:pk>/forget/", person.forget, name="forget"),
    path("messages/<int:pk>/retry/", message.retry, name="retry"),
    path("messages/<int:pk>/send-anyway/", message.send_anyway, name="send_anyway"),
    path("messages/<int:pk>/discard/", message.discard, name="discard"),
    path("messages/<int:pk>/arrived/", message.arrived, name="arrived"),
    path("messages/<int:pk>/cancel/", message.cancel, name="cancel"),
    path("files/<int:pk>/", media.content, name="file"),
    path("files/<int:pk>/thumb/", media.thumb, name="thumb"),
    path("files/<int:pk>/sound/", media.sound, name="sound"),
    path("files/<int:pk>/fetch/", media.fetch_again, name="fetch_again"),
    path("messages/<int:pk>/edit/", composing.edit, name="edit"),
    path("messages/<int:pk>/park/", composing.park_message, name="park_message"),
    path("messages/<int:pk>/send-now/", composing.send_now, name="send_now"),
    path("parked/<int:pk>/send/", composing.send_parked, name="send_parked"),
    path("parked/<int:pk>/edit/", composing.edit_parked, name="edit_parked"),
    path("parked/<int:pk>/discard/", composing.discard_parked, name="discard_parked"),
    path("uploads/", media.upload, name="upload"),
    path("uploads/<slug:upload_id>/thumb/", media.upload_thumb, name="upload_thumb"),
]
