"""Every refusal in plain words: in the console's frame, in the public one, in both languages."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from tests.conftest import Cast
from weilink_site import urls
from weilink_site.pages.error_pages import answer_outside_django, server_error


def _breaks(_request: Any) -> Any:
    raise RuntimeError


class Broken:
    """The console's addresses, and one whose view breaks."""

    urlpatterns = [path("breaks/", _breaks), *urls.urlpatterns]
    handler400, handler403 = urls.handler400, urls.handler403
    handler404, handler500 = urls.handler404, urls.handler500


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("who", "address", "status", "words"),
    [
        ("agent", "/nowhere/", 404, "Page not found"),
        ("agent", "/inbox/999/", 404, "Page not found"),
        ("agent", "/settings/", 403, "You don&#x27;t have access to this page"),
        ("operator", "/inbox/", 403, "You don&#x27;t have access to this page"),
    ],
)
def test_who_is_signed_in_sees_it_beside_the_rail(
    cast: Cast, who: str, address: str, status: int, words: str
) -> None:
    client = Client()
    client.force_login(getattr(cast, who))
    answer = client.get(address)
    page = text_of(answer)
    assert answer.status_code == status
    assert f"<h1>{words}</h1>" in page
    assert 'class="rail"' in page
    assert ("Back to the inbox" in page) == (who == "agent")


@pytest.mark.django_db
def test_strangers_see_it_in_the_public_frame() -> None:
    answer = Client().get("/nowhere/", headers={"accept-language": "zh-CN"})
    page = text_of(answer)
    assert "<h1>页面不存在</h1>" in page
    assert 'class="rail"' not in page
    assert 'class="brand-mark"' in page
    assert "前往登录页" in page


@pytest.mark.django_db
def test_a_form_without_its_token_says_what_to_do(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.agent)
    origin = "http://testserver"
    answer = client.post(
        "/i18n/", {"language": "en"}, headers={"referer": f"{origin}/account/?x=1"}
    )
    page = text_of(answer)
    assert answer.status_code == 403
    assert "This page is out of date" in page
    assert 'href="/account/?x=1"' in page
    assert 'class="rail"' in page
    strange = client.post("/i18n/", headers={"referer": "https://evil.example/x"})
    assert "evil.example" not in text_of(strange)


TYPED = {"text": "half a <b>reply</b>", "password": "secret words", "draft_key": "k" * 32}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "language", "words"),
    [
        ("/inbox/1/reply/", "en", "This is what you typed."),
        ("/inbox/1/reply/", "zh-hans", "你刚才输入的内容"),
        ("/inbox/1/note/", "en", "This is what you typed."),
    ],
)
def test_a_form_with_a_stale_token_gives_back_what_was_typed(
    cast: Cast, address: str, language: str, words: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    cast.agent.language = language
    cast.agent.save()
    client.force_login(cast.agent)
    here = {"referer": "http://testserver/inbox/1/"}
    stale = {**TYPED, "csrfmiddlewaretoken": "a" * 64}
    answer = client.post(address, stale, headers=here)
    page = text_of(answer)
    assert answer.status_code == 403
    assert answer["WeiLink-Refusal"] == "token"
    assert words in page
    assert "half a &lt;b&gt;reply&lt;/b&gt;</textarea>" in page
    assert "secret words" not in page
    assert "k" * 32 not in page
    assert 'href="/inbox/1/"' in page
    # Not of our own page: nothing of it is shown.
    for before in ("", "https://evil.example/x", "//evil.example/x"):
        page = text_of(client.post(address, stale, headers={"referer": before}))
        assert "half a" not in page
    nothing = text_of(client.post(address, headers=here))
    assert "<textarea" not in nothing


@pytest.mark.django_db
def test_a_page_renews_its_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.agent)
    answer = client.get("/account/token/")
    assert answer["Cache-Control"].startswith("max-age=0")
    facts = answer.json()
    assert facts["user"] == cast.agent.pk
    assert "Reload" in facts["words"]["reload"]
    client.force_login(cast.agent)
    client.get("/account/token/")
    changed = client.post("/account/theme/", {"theme": "dark"})
    assert changed["WeiLink-Refusal"] == "token"
    token = client.get("/account/token/").json()["token"]
    again = client.post("/account/theme/", {"theme": "dark"}, headers={"x-csrftoken": token})
    assert again.status_code == 204
    signed_out = Client().get("/account/token/")
    assert signed_out["Location"].startswith("/accounts/login/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "address", "status"),
    [("get", "/nowhere/", 404), ("get", "/settings/", 403), ("get", "/inbox/1/reply/", 405),
     ("get", "/api/v1/nowhere", 404)],
)  # fmt: skip
def test_every_refusal_says_that_it_is_the_consoles(
    cast: Cast, method: str, address: str, status: int
) -> None:
    client = Client()
    client.force_login(cast.agent)
    answer = getattr(client, method)(address)
    assert (answer.status_code, answer["WeiLink-Refusal"]) == (status, str(status))
    assert "WeiLink-Refusal" not in client.get("/account/").headers


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=Broken)
@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Something went wrong in the console"), ("zh-hans", "控制台出错了")],
)
def test_a_crash_is_said_in_the_readers_language(language: str, words: str, cast: Cast) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(cast.agent)
    client.cookies["weilink_language"] = language
    answer = client.get("/breaks/")
    assert answer.status_code == 500
    assert f"<h1>{words}</h1>" in text_of(answer)


@pytest.mark.parametrize("cookie", ["", "zh-hans"])
def test_the_page_of_a_crash_reads_no_database(cookie: str) -> None:
    """No `db` here: a query would fail the test. Neither session nor user is there."""
    request = RequestFactory().get("/inbox/?q=1", headers={"accept-language": "de, en"})
    if cookie:
        request.COOKIES["weilink_language"] = cookie
    answer = server_error(request)
    assert answer.status_code == 500
    page = text_of(answer)
    assert ("控制台出错了" in page) == bool(cookie)
    assert 'href="/inbox/?q=1"' in page
    assert connection.queries == []


def test_a_wrong_host_gets_the_page_too() -> None:
    answer = Client().get("/accounts/login/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "The console could not read this request" in text_of(answer)


@pytest.mark.django_db
def test_a_login_that_ended_says_so(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.agent)
    client.session.flush()
    page = client.get("/inbox/", follow=True, headers={"accept-language": "en"})
    assert "Your login has ended" in text_of(page)
    assert "Your login has ended" not in text_of(Client().get("/inbox/", follow=True))


@pytest.mark.parametrize("status", [400, 413, 500, 503])
def test_before_django_each_reader_gets_its_own_form(status: int) -> None:
    browser = {
        "accept": "text/html,*/*",
        "accept-language": "en",
        "cookie": "weilink_language=zh-hans",
    }
    kind, page = answer_outside_django(status, "/inbox/", browser)
    assert kind == "text/html"
    assert b'lang="zh-hans"' in page
    assert b"brand-mark" in page
    kind, body = answer_outside_django(status, "/api/v1/messages", browser)
    assert kind == "application/json"
    assert set(json.loads(body)["error"]) == {"code", "message"}
    kind, sentence = answer_outside_django(status, "/inbox/", {"accept-language": "en"})
    assert kind == "text/plain"
    assert b"<" not in sentence
