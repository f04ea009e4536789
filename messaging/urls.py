"""`/inbox/`."""

from django.urls import path

from messaging.views import contact, inbox, media, message

app_name = "inbox"

urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("changes/", inbox.changes, name="changes"),
    path("<int:pk>/", inbox.conversation, name="conversation"),
    path("<int:pk>/reply/", message.reply, name="reply"),
    path("<int:pk>/read/", contact.read, name="read"),
    path("<int:pk>/name/", contact.name, name="name"),
    path("messages/<int:pk>/retry/", message.retry, name="retry"),
    path("messages/<int:pk>/send-anyway/", message.send_anyway, name="send_anyway"),
    path("messages/<int:pk>/discard/", message.discard, name="discard"),
    path("messages/<int:pk>/arrived/", message.arrived, name="arrived"),
    path("messages/<int:pk>/cancel/", message.cancel, name="cancel"),
    path("files/<int:pk>/", media.content, name="file"),
    path("files/<int:pk>/thumb/", media.thumb, name="thumb"),
    path("files/<int:pk>/sound/", media.sound, name="sound"),
    path("files/<int:pk>/fetch/", media.fetch_again, name="fetch_again"),
    path("uploads/", media.upload, name="upload"),
    path("uploads/<slug:upload_id>/discard/", media.discard_upload, name="discard_upload"),
    path("uploads/<slug:upload_id>/thumb/", media.upload_thumb, name="upload_thumb"),
]
