"""One-time password links: for whoever forgot theirs; what they end, and when they end."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sessions_app.models import ApiToken, PersonLink, User
from sessions_app.people.directory import services
from sessions_app.people.tokens import issue_token
from tests.conftest import Cast
from tests.sessions_app.people.directory_pages import (
    PASSWORD,
    PEOPLE,
    as_,
    choose,
    link_in,
    log_in,
    rights,
)

pytestmark = pytest.mark.django_db


def give(cast: Cast, person: User | None = None, **others: Any) -> str:
    """The path of a new link for the agent."""
    form = {"days": 3, **others}
    person = person or cast.agent
    return link_in(as_(cast.administrator).post(f"{PEOPLE}{person.pk}/link/", form))


def test_whoever_forgot_theirs_gets_a_link(cast: Cast) -> None:
    browser = as_(cast.agent)
    path = give(cast)
    assert browser.get("/account/").status_code == 302  # signed out
    assert not log_in("wei", "wei-pw")
    assert choose(path).status_code == 302
    assert log_in("wei")


def test_the_dialog_asks_whether_tokens_end_too(cast: Cast) -> None:
    page = f"{PEOPLE}{cast.agent.pk}/link/"
    assert "ends_tokens" not in as_(cast.administrator).get(page).content.decode()
    issue_token(owner=cast.agent, name="script")
    assert "Revoke their API token, too" in as_(cast.administrator).get(page).content.decode()
    give(cast)
    assert ApiToken.objects.get().revoked_at is None
    give(cast, ends_tokens="on")
    assert ApiToken.objects.get().revoked_at is not None


def test_a_link_works_once(cast: Cast) -> None:
    path = give(cast)
    choose(path)
    again = choose(path, "Another horse 8")
    assert again.status_code == 200
    assert "Your password is set." in again.content.decode()
    assert log_in("wei")
    assert not log_in("wei", "Another horse 8")


def test_a_new_link_replaces_the_former(cast: Cast) -> None:
    former, path = give(cast), give(cast)
    answer = choose(former)
    assert answer.status_code == 410
    assert "does not work any more" in answer.content.decode()
    assert choose(path).status_code == 302


def test_a_link_is_revoked(cast: Cast) -> None:
    path, client = give(cast), as_(cast.administrator)
    place = f"{PEOPLE}links/{PersonLink.objects.get().pk}/revoke/"
    assert "The link was revoked." in client.post(place, follow=True).content.decode()
    assert "had ended already" in client.post(place, follow=True).content.decode()
    assert client.get(place)["Location"] == PEOPLE
    assert choose(path).status_code == 410


def test_a_link_expires_after_three_days_unless_told_otherwise(cast: Cast) -> None:
    page = as_(cast.administrator).get(f"{PEOPLE}{cast.agent.pk}/link/").content.decode()
    assert '<option value="3" selected>3 days</option>' in page
    path = give(cast)
    link = PersonLink.objects.get()
    assert link.expires_at - link.created_at == timedelta(days=3)
    PersonLink.objects.update(expires_at=timezone.now())
    answer = choose(path)
    assert answer.status_code == 410
    assert "This link has expired." in answer.content.decode()


def test_a_link_ends_with_its_person(cast: Cast) -> None:
    path = give(cast)
    services.disable_person(person_id=cast.agent.pk, by=cast.administrator)
    assert choose(path).status_code == 410
    services.enable_person(person_id=cast.agent.pk, by=cast.administrator)
    assert choose(path).status_code == 410


def test_a_person_disabled_in_the_admin_has_no_link_either(cast: Cast) -> None:
    path = give(cast)
    User.objects.filter(pk=cast.agent.pk).update(is_active=False)
    assert choose(path).status_code == 410


def test_nobody_is_signed_in_by_the_page(cast: Cast) -> None:
    client, path = Client(), give(cast)
    client.get(path)
    client.post(path, {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert client.get("/account/").status_code == 302
    assert not cast.agent.browsers.exists()


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("1234567", "1234567", "too short"),
        ("password", "password", "too common"),
        ("90817263", "90817263", "entirely numeric"),
        ("weiweiwei", "weiweiwei", ""),
        (PASSWORD, "Correct horse 8", "The two new passwords differ."),
        ("", "", "This field is required."),
    ],
)
def test_a_weak_password_is_refused(cast: Cast, first: str, second: str, words: str) -> None:
    path = give(cast)
    User.objects.filter(pk=cast.agent.pk).update(first_name="Weiweiwei")
    answer = choose(path, first, second)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert PersonLink.objects.get().used_at is None
    assert choose(path).status_code == 302


def test_opening_the_page_uses_nothing_up(cast: Cast) -> None:
    path = give(cast)
    for _ in range(3):
        assert Client().get(path).status_code == 200
        assert Client().head(path).status_code == 405
    assert choose(path).status_code == 302


def test_tries_are_counted(cast: Cast) -> None:
    path = give(cast)
    for _ in range(10):
        assert choose(path, "short").status_code == 422
    answer = choose(path)
    assert answer.status_code == 429
    assert "Too many attempts." in answer.content.decode()
    assert choose(give(cast)).status_code == 302  # another link has tries of its own


def test_the_address_is_kept_from_caches_other_sites_and_the_log(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    path = give(cast)
    code = path.split("/")[-2]
    with caplog.at_level(logging.DEBUG):
        page = Client().get(path)
        for _ in range(11):
            choose(path, "short")
        choose(path)
        Client().get(f"/password/{code}x/")
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "strict-origin"
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert "http" not in page.content.decode().replace("http-equiv", "")
    said = [record for record in caplog.records if record.name.startswith("sessions_app")]
    assert said
    assert not [record for record in said if code in record.getMessage()]


def test_a_code_of_an_invitation_opens_no_password_page(cast: Cast) -> None:
    answer = as_(cast.administrator).post(f"{PEOPLE}invite/", rights(cast.team))
    code = link_in(answer).split("/")[-2]
    assert Client().get(f"/password/{code}/").status_code == 404


def test_no_link_for_oneself_for_superusers_or_for_the_disabled(cast: Cast) -> None:
    root, client = User.objects.create_superuser("root"), as_(cast.administrator)
    User.objects.filter(pk=cast.viewer.pk).update(is_active=False)
    for person, words in (
        (cast.administrator, "This is you."),
        (root, "Only a superuser can change them."),
        (cast.viewer, "This person is disabled."),
    ):
        answer = client.post(f"{PEOPLE}{person.pk}/link/", {"days": 3})
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert not link_in(answer)
    assert not PersonLink.objects.exists()
    assert give(cast, root) == ""
    assert link_in(as_(root).post(f"{PEOPLE}{cast.administrator.pk}/link/", {"days": 3}))


def test_a_printed_password_need_not_be_changed_twice(cast: Cast) -> None:
    User.objects.filter(pk=cast.agent.pk).update(must_change_password=True)
    choose(give(cast))
    assert not User.objects.get(pk=cast.agent.pk).must_change_password
