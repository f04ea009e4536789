"""What the composer does with the files of a draft, and what its tray shows."""

import re
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from messaging.models import Conversation
from sessions_app.models import User
from tests.messaging.media import samples

HTMX = {"HX-Request": "true"}
PANE = {**HTMX, "HX-Target": "conversation-pane"}
DAY = timedelta(days=1)


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def bring(user: User, conversation: Conversation, name: str = "a.txt", **values: Any) -> str:
    """As the composer does; the file's id."""
    content = samples.picture() if name.endswith(".png") else name.encode()
    file = SimpleUploadedFile("file", content)
    form = {"name": name, "file": file, "key": "k1", "conversation": conversation.pk, **values}
    answer = as_(user).post("/inbox/uploads/", form)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def page(user: User, conversation: Conversation, **headers: str) -> str:
    return as_(user).get(f"/inbox/{conversation.pk}/", headers=headers).content.decode()


def shown(html: str) -> list[str]:
    """Names in the tray, in order."""
    rows = html.partition("<template data-tray-file>")[0]
    return re.findall(r'data-file=.*?data-name dir="auto">([^<]*)<', rows, re.DOTALL)


def reply(user: User, conversation: Conversation, *ids: str, **values: str) -> Any:
    form = {"text": "", "draft_key": "k1", "upload": list(ids), **values}
    return as_(user).post(f"/inbox/{conversation.pk}/reply/", form, headers=HTMX)


def act(user: User, conversation: Conversation, what: str, **form: Any) -> int:
    url = f"/inbox/{conversation.pk}/draft/files/{what}/"
    return as_(user).post(url, form, headers=HTMX).status_code
