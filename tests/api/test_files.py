"""Files over the API: small ones inline, larger ones by upload, bytes out to whoever may."""

import base64
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from messaging.models import Attachment, Message, Upload
from sessions_app.models import Context
from tests.api.callers import Answer, Caller, answer_of, calling
from tests.api.conftest import Shop
from tests.conftest import Cast
from tests.messaging.media import samples

pytestmark = pytest.mark.django_db

LINA = "lina@im.wechat"
PICTURE = samples.picture()


def bring(caller: Caller, content: bytes, name: str = "a.bin") -> Answer:
    response: Any = caller.client.post(
        "/api/v1/uploads",
        {"file": SimpleUploadedFile(name, content)},
        headers={"authorization": f"Bearer {caller.secret}"},
    )
    return answer_of(response)


def inline(content: bytes, kind: str = "file", name: str = "a.bin") -> dict[str, str]:
    encoded = base64.b64encode(content).decode()
    return {"kind": kind, "file_name": name, "content_base64": encoded}


def post(caller: Caller, *files: dict[str, str], **body: Any) -> Answer:
    return caller.post("/messages", {"to": LINA, "attachments": list(files), **body})


def test_small_files_go_inline_and_larger_ones_by_upload(cast: Cast, shop: Shop) -> None:
    caller = calling(cast.agent)
    brought = bring(caller, PICTURE, "p.png")
    assert brought.status == 201
    assert brought.body == {"id": brought.body["id"], "size": len(PICTURE), "kind": "image"}
    upload = {"kind": "image", "upload_id": brought.body["id"]}
    taken = post(caller, upload, inline(b"hello", name="发票.txt"), text="look")
    assert taken.status == 202
    assert (len(taken.body["parts"]), taken.body["remaining"]) == (3, 7)
    rows = list(Message.objects.filter(direction="out"))
    assert [str(one.pk) for one in rows] == taken.body["parts"]
    assert [one.kind for one in rows] == ["text", "image", "file"]
    (shown,) = caller.get(f"/messages/{rows[2].pk}").body["attachments"]
    assert (shown["file_name"], shown["size"], shown["state"]) == ("发票.txt", 5, "stored")
    assert post(caller, upload).code == "unknown_upload"


def test_a_repeated_post_is_the_first_answer(cast: Cast, shop: Shop) -> None:
    caller = calling(cast.agent)
    first = post(caller, inline(b"hello"), idempotency_key="k")
    again = post(caller, inline(b"hello"), idempotency_key="k")
    assert (first.status, again.status) == (202, 200)
    assert again.body == first.body
    assert post(caller, inline(b"other"), idempotency_key="k").code == "key_reused"
    assert Message.objects.filter(direction="out").count() == 1
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (inline(b""), "empty"),
        (inline(b"text", kind="image"), "wrong_kind"),
        (inline(PICTURE, kind="video"), "wrong_kind"),
        (inline(b"text", kind="voice"), "wrong_kind"),
        ({"kind": "file", "upload_id": "0" * 32}, "unknown_upload"),
        ({"kind": "file", "upload_id": "x"}, "invalid"),
        ({"kind": "file", "content_base64": "?"}, "invalid"),
        ({"kind": "file", "content_base64": "", "upload_id": "0" * 32}, "invalid"),
    ],
)
def test_a_bad_file_is_refused_and_nothing_is_queued(
    cast: Cast, shop: Shop, file: dict[str, str], code: str
) -> None:
    answer = post(calling(cast.agent), file, text="look")
    assert (answer.status, answer.code) == (422, code)
    assert not Message.objects.filter(direction="out").exists()
    assert Context.objects.get().replies_used == 0


def test_sound_and_pictures_may_travel_as_files(cast: Cast, shop: Shop) -> None:
    caller = calling(cast.agent)
    files = (inline(samples.VOICE, kind="voice"), inline(PICTURE, kind="file"))
    assert post(caller, *files).status == 202
    kinds = Attachment.objects.values_list("kind", flat=True)
    assert list(kinds) == ["file", "file"]


def test_a_file_over_the_limit_is_refused(cast: Cast, shop: Shop, settings: Any) -> None:
    settings.MEDIA_LIMITS = {"most_reply_file_bytes": 4}
    caller = calling(cast.agent)
    assert bring(caller, b"hello").code == "file_too_large"
    assert post(caller, inline(b"hello")).code == "file_too_large"
    assert bring(caller, b"").code == "empty"


def test_bytes_go_out_with_ranges_to_whoever_may_see_them(cast: Cast, shop: Shop) -> None:
    post(calling(cast.agent), inline(PICTURE, kind="image", name="p.png"))
    row = Attachment.objects.get()

    def get(user: Any, **headers: str) -> Any:
        authorization = f"Bearer {calling(user).secret}"
        path = f"/api/v1/attachments/{row.pk}/content"
        headers = {"authorization": authorization, **headers}
        return calling(user).client.get(path, headers=headers)

    whole = get(cast.viewer)
    assert b"".join(whole.streaming_content) == PICTURE
    assert (whole["Content-Type"], whole["X-Content-Type-Options"]) == ("image/png", "nosniff")
    part = get(cast.viewer, range="bytes=1-3")
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"PNG")
    assert get(cast.agent_elsewhere).status_code == 404
    assert get(cast.outsider).status_code == 403


@pytest.mark.parametrize("asked", ["bytes=900000-", "bytes=900000-900001", "bytes=-0"])
@pytest.mark.parametrize(("kind", "content"), [("image", PICTURE), ("file", b"hello")])
def test_a_range_behind_the_end_is_an_error_like_all_others(
    cast: Cast, shop: Shop, asked: str, kind: str, content: bytes
) -> None:
    caller = calling(cast.agent)
    post(caller, inline(content, kind=kind))
    headers = {"authorization": f"Bearer {caller.secret}", "range": asked}
    path = f"/api/v1/attachments/{Attachment.objects.get().pk}/content"
    response: Any = caller.client.get(path, headers=headers)
    answer = answer_of(response)
    assert (answer.status, answer.code) == (416, "range_not_satisfiable")
    assert response["Content-Range"] == f"bytes */{len(content)}"
    assert (response["Content-Type"], response["Cache-Control"]) == ("application/json", "no-store")
    assert "Content-Disposition" not in response
    good: Any = caller.client.get(path, headers={**headers, "range": "bytes=0-1"})
    assert (good.status_code, b"".join(good.streaming_content)) == (206, content[:2])
