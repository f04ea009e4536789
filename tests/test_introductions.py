"""`/settings/teams/…/`: how a team introduces itself, and what strangers see of it."""

import base64
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from messaging.transfers import logos
from sessions_app.invitations import invitations
from sessions_app.links import scan_links
from sessions_app.models import Invitation, Team, TeamIntroduction, User
from sessions_app.team_settings.introductions import change_introduction
from tests.conftest import Cast

pytestmark = pytest.mark.django_db

SECRET = b"what a camera wrote"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def path_of(team: Team) -> str:
    return f"/settings/teams/{team.pk}/"


def picture(side: int = 400, kind: str = "PNG", **options: Any) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (side, side), "#0b7a55").save(made, kind, **options)
    return made.getvalue()


def file(data: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/png")


def text_of(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


@pytest.fixture
def fair(cast: Cast) -> Invitation:
    return invitations.make_invitation(
        user=cast.operator, team=cast.team, prefix="Fair", label="", per_hour=8, in_all=8
    )


def introduce(cast: Cast, **changes: Any) -> Any:
    form = {"name": "Lin's tea", "text": "We answer\nfrom 9 to 18.", **changes}
    return as_(cast.administrator).post(path_of(cast.team), form)


# What strangers see


@pytest.mark.parametrize("kind", ["invitation", "scan link"])
def test_a_stranger_sees_who_invites_before_anything_is_scanned(
    cast: Cast, fair: Invitation, kind: str
) -> None:
    assert introduce(cast, logo=file(picture())).status_code == 302
    address = invitations.address(fair)
    if kind == "scan link":
        link = scan_links.make_link(user=cast.operator, team=cast.team, session_name="New")
        address = scan_links.address(link)
    page = text_of(Client(), address)
    assert "Lin&#x27;s tea" in page
    assert "We answer<br>from 9 to 18." in page
    [logo] = re.findall(r'<img class="team-logo" src="data:image/webp;base64,([^"]+)"', page)
    shown = Image.open(io.BytesIO(base64.b64decode(logo)))
    assert (shown.format, shown.size) == ("WEBP", (192, 192))


def test_the_page_says_what_is_read_and_how_to_leave(fair: Invitation) -> None:
    page = text_of(Client(), invitations.address(fair))
    assert "Everyone invites you to write to them on WeChat." in page
    assert "Everyone receives, reads and keeps what is sent in your chat with their bot" in page
    assert "Your other chats, your contacts and your Moments are not read." in page
    assert "To leave, disconnect the bot in WeChat" in page
    assert '<details class="inviter-about" open>' in page


def test_what_a_team_writes_of_itself_is_text(cast: Cast, fair: Invitation) -> None:
    introduce(cast, name="<b>Bank</b>", text="<script>1</script>")
    page = text_of(Client(), invitations.address(fair))
    assert "<b>Bank" not in page
    assert "<script>1" not in page
    assert "&lt;script&gt;1" in page


def test_the_fragment_leaves_the_introduction_alone(cast: Cast, fair: Invitation) -> None:
    introduce(cast)
    assert "Lin" not in text_of(Client(), f"{invitations.address(fair)}state/")


def test_an_ended_invitation_names_nobody(cast: Cast, fair: Invitation) -> None:
    introduce(cast)
    invitations.revoke(invitation=fair)
    assert "Lin" not in text_of(Client(), invitations.address(fair))


# Who writes it


def test_only_administrators_introduce_a_team(cast: Cast) -> None:
    page = path_of(cast.team)
    assert as_(cast.administrator).get(page).status_code == 200
    assert page in text_of(as_(cast.administrator), "/settings/")
    for name in ("operator", "supervisor", "agent", "agent_elsewhere", "viewer", "outsider"):
        client = as_(getattr(cast, name))
        assert client.get(page).status_code == 403, name
        assert client.post(page, {"name": "Stolen"}).status_code == 403, name
    assert not TeamIntroduction.objects.exists()
    assert as_(cast.administrator).get("/settings/teams/999999/").status_code == 404


def test_the_form_shows_what_is_so_and_who_changed_it_is_kept(cast: Cast) -> None:
    introduce(cast)
    page = text_of(as_(cast.administrator), path_of(cast.team))
    assert 'value="Lin&#x27;s tea"' in page
    row = TeamIntroduction.objects.get()
    assert (row.team, row.changed_by) == (cast.team, cast.administrator)


def test_a_text_that_is_too_long_comes_back(cast: Cast) -> None:
    answer = introduce(cast, text="x" * 501)
    assert answer.status_code == 422
    assert "no-store" in answer["Cache-Control"]
    assert "x" * 501 in answer.content.decode()


# The logo


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_a_small_picture_made_here(cast: Cast, kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    introduce(cast, logo=file(picture(1_000, kind, exif=exif) + SECRET))
    kept = bytes(TeamIntroduction.objects.get().logo)
    assert kept.startswith(b"RIFF")
    assert SECRET not in kept
    assert len(kept) < 20_000


@pytest.mark.parametrize("data", [b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_picture_is_refused_in_words(cast: Cast, data: bytes) -> None:
    answer = introduce(cast, logo=file(data))
    assert answer.status_code == 422
    assert "This is not a picture that can be shown." in answer.content.decode()
    assert not TeamIntroduction.objects.exists()


def test_a_logo_of_many_megabytes_is_refused_unread(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logos, "MEGABYTE", 100)
    answer = introduce(cast, logo=file(picture()))
    assert answer.status_code == 422
    assert "A logo may have up to 2 MB." in answer.content.decode()


def test_a_picture_of_too_many_pixels_is_refused(cast: Cast, settings: Any) -> None:
    settings.MEDIA_LIMITS = {**getattr(settings, "MEDIA_LIMITS", {}), "most_pixels": 100}
    assert introduce(cast, logo=file(picture())).status_code == 422


def test_a_logo_stays_until_it_is_removed(cast: Cast) -> None:
    introduce(cast, logo=file(picture()))
    introduce(cast, text="new")
    assert TeamIntroduction.objects.get().logo
    introduce(cast, removes_logo="on")
    assert not TeamIntroduction.objects.get().logo


def test_an_introduction_goes_with_its_team(cast: Cast) -> None:
    team = Team.objects.create(name="Short-lived")
    change_introduction(user=None, team=team, name="", text="", logo=None)
    team.delete()
    assert not TeamIntroduction.objects.exists()
