"""A picture that ends too early is shown as far as it decodes, and only such a one is marked."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, ImageChops, ImageStat

from messaging.media.workshop import WorkRefused, Workshop
from messaging.models import Attachment, Upload
from tests.conftest import Cast, Running, until
from tests.messaging.media import samples
from tests.messaging.media.cut_samples import encoded, pictures, textured
from tests.messaging.media.rows import bytes_of, fetched_messages

PICTURES = pictures()
JPEGS = [kind for kind in PICTURES if kind.startswith("jpeg")]
SHARES = (0.35, 0.6, 0.9)
CUT_NOTE = "“shop.jpg” is incomplete: the end is missing. It will be sent as it is."
MUCH = 14
"""Two small pictures of the same differ by less: they are written with losses."""


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    made = Workshop(timeout_s=60)
    yield made
    made.close()


def thumbnail(workshop: Workshop, folder: Path, content: bytes) -> tuple[dict[str, Any], bytes]:
    source, target = folder / "picture", folder / "thumb"
    source.write_bytes(content)
    job = {"do": "picture", "source": str(source), "target": str(target)}
    made = workshop.do_now({**job, "most_pixels": 1_000_000})
    return made, target.read_bytes()


def is_incomplete(workshop: Workshop, folder: Path, content: bytes) -> bool:
    return bool(thumbnail(workshop, folder, content)[0].get("is_incomplete", False))


def outcome(workshop: Workshop, folder: Path, content: bytes) -> str:
    try:
        return "incomplete" if is_incomplete(workshop, folder, content) else "whole"
    except WorkRefused as refused:
        return refused.code


def refusal(workshop: Workshop, folder: Path, content: bytes) -> str:
    with pytest.raises(WorkRefused) as refused:
        thumbnail(workshop, folder, content)
    return refused.value.code


def apart(first: bytes, second: bytes, rows: tuple[int, int]) -> float:
    """How much two small pictures differ in these rows, 0 to 255."""
    both = [Image.open(io.BytesIO(one)).convert("RGB") for one in (first, second)]
    box = (0, rows[0], both[0].width, rows[1])
    difference = ImageChops.difference(both[0].crop(box), both[1].crop(box))
    return max(ImageStat.Stat(difference).mean)


@pytest.mark.parametrize("kind", PICTURES)
def test_a_whole_picture_is_never_marked(workshop: Workshop, tmp_path: Path, kind: str) -> None:
    for behind in (b"", b"\0", bytes(500), b"\r\n", bytes(range(256))):
        assert not is_incomplete(workshop, tmp_path, PICTURES[kind] + behind)


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("share", SHARES)
def test_what_arrived_is_shown_and_the_rest_is_marked(
    workshop: Workshop, tmp_path: Path, kind: str, share: float
) -> None:
    content = PICTURES[kind]
    whole = thumbnail(workshop, tmp_path, content)[1]
    made, cut = thumbnail(workshop, tmp_path, content[: int(len(content) * share)])
    assert (made["width"], made["height"], made["is_incomplete"]) == (320, 200, True)
    upside_down = kind.startswith("bmp")
    there, gone = ((0, 40), (170, 200)) if not upside_down else ((160, 200), (0, 15))
    if kind != "jpeg progressive":  # its first scans are all of it, coarser
        assert apart(whole, cut, there) < MUCH
        assert apart(whole, cut, gone) > MUCH
    else:
        assert apart(whole, cut, (0, 200)) < 60


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_without_its_end_mark_is_whole(
    workshop: Workshop, tmp_path: Path, kind: str, missing: int
) -> None:
    content = PICTURES[kind]
    whole = thumbnail(workshop, tmp_path, content)[1]
    made, cut = thumbnail(workshop, tmp_path, content[:-missing])
    assert "is_incomplete" not in made
    assert apart(whole, cut, (0, 200)) < 1


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("missing", [1, 2])
def test_one_or_two_bytes_less_show_all_of_it(
    workshop: Workshop, tmp_path: Path, kind: str, missing: int
) -> None:
    whole = thumbnail(workshop, tmp_path, PICTURES[kind])[1]
    cut = thumbnail(workshop, tmp_path, PICTURES[kind][:-missing])[1]
    assert apart(whole, cut, (0, 200)) < MUCH
    if kind in ("png", "png palette", "gif"):  # what is missing there are no pixels
        assert not is_incomplete(workshop, tmp_path, PICTURES[kind][:-missing])


@pytest.mark.parametrize("kind", PICTURES)
def test_every_length_is_answered_by_the_same_helper(
    workshop: Workshop, tmp_path: Path, kind: str
) -> None:
    content = PICTURES[kind]
    thumbnail(workshop, tmp_path, content)
    assert workshop._process is not None
    helper = workshop._process.pid
    for length in {*range(0, 120, 11), *range(1, len(content), max(1, len(content) // 40))}:
        said = outcome(workshop, tmp_path, content[:length])
        assert said in ("incomplete", "too_little", "not_a_picture") or (
            said == "whole" and length > len(content) - 40
        )
    assert workshop._process.pid == helper


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
def test_where_no_pixel_arrived_it_says_so(workshop: Workshop, tmp_path: Path, kind: str) -> None:
    content = encoded(textured(), kind)
    assert refusal(workshop, tmp_path, content[:24]) == "too_little"


@pytest.mark.parametrize(("kind", "end"), [("GIF", 1), ("WEBP", 0), ("PNG", 0)])
def test_an_animation_that_loses_frames_is_marked(
    workshop: Workshop, tmp_path: Path, kind: str, end: int
) -> None:
    content = encoded(textured(), kind, frames=4)
    assert not is_incomplete(workshop, tmp_path, content[: len(content) - end])
    for share in (0.5, 0.8):
        assert is_incomplete(workshop, tmp_path, content[: int(len(content) * share)])


def test_a_scan_that_never_came_is_missed(workshop: Workshop, tmp_path: Path) -> None:
    """A progressive JPEG that ends exactly between two scans decodes without a complaint."""
    content = PICTURES["jpeg progressive"]
    scans = [at for at in range(len(content)) if content[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 4
    for at in scans[2:]:
        assert is_incomplete(workshop, tmp_path, content[:at])


def test_a_cut_bomb_is_a_bomb(workshop: Workshop, tmp_path: Path) -> None:
    bomb = samples.picture_bomb()
    for content in (bomb, bomb[: len(bomb) // 2]):
        assert refusal(workshop, tmp_path, content) == "too_many_pixels"
    large = encoded(Image.new("RGB", (1_200, 1_000)), "JPEG")
    assert refusal(workshop, tmp_path, large[:-200]) == "too_many_pixels"


def test_it_stands_upright_all_the_same(workshop: Workshop, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(textured(), "JPEG", exif=exif)
    made, thumb = thumbnail(workshop, tmp_path, content[: len(content) * 2 // 3])
    assert (made["width"], made["height"]) == (200, 320)
    assert Image.open(io.BytesIO(thumb)).size == (200, 320)


async def test_wechats_own_small_picture_stands_for_one_that_is_lost(running: Running) -> None:
    """Cut, of another kind, gone, or with a wrong key: better than nothing."""
    small, content = samples.picture(60, 40, "JPEG"), PICTURES["jpeg"]
    gone = {"encrypt_query_param": "nothing is there", "aes_key": "00" * 16}
    wishes: list[Any] = [content[: len(content) // 2], content[:300], b"<html>", {**gone}]
    wishes[3]["full_url"] = "http://192.0.2.1/elsewhere"
    rows = await fetched_messages(
        running,
        *(
            {"type": 2, "image_item": {"media": one, "thumb_media": small, "thumb_width": 60,
                                       "thumb_height": 40}}
            for one in wishes
        ),
    )  # fmt: skip
    assert [(row.state, row.error) for row in rows] == [
        ("stored", ""), ("stored", "too_little"), ("stored", "not_a_picture"),
        ("failed", "unsafe_host"),
    ]  # fmt: skip
    assert [row.is_incomplete for row in rows] == [True, False, False, False]
    # The file is settled first; its small picture follows.
    assert (rows[0].width, rows[0].height) == (320, 200)
    for row in rows[1:]:
        await until_small(row.pk)


async def until_small(pk: int) -> None:
    rows = Attachment.objects.filter(pk=pk).exclude(thumb_name="")
    row = await until(rows.first, "WeChat's small picture")
    assert bytes_of(row.thumb_name)[8:12] == b"WEBP"


@pytest.mark.django_db
def test_an_agents_own_cut_picture_goes_as_a_picture_and_is_told(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.agent)

    def brought(content: bytes, name: str) -> dict[str, Any]:
        values = {"name": name, "file": SimpleUploadedFile("file", content)}
        answer: dict[str, Any] = client.post("/inbox/uploads/", values).json()
        return answer

    for kind, content in PICTURES.items():
        answer = brought(content[: len(content) * 2 // 3], "shop.jpg")
        assert answer["kind"] == "image", kind
        assert (
            answer["note"]
            == "“shop.jpg” is incomplete: the end is missing. It will be sent as it is."
        )
        assert answer["thumb"]
        assert brought(content, "shop.jpg")["note"] == ""
    assert Upload.objects.filter(is_incomplete=True).count() == len(PICTURES)
    answer = brought(PICTURES["png"][:40], "shop.PNG")
    assert (answer["kind"], answer["thumb"]) == ("file", "")
    assert answer["note"] == "“shop.PNG” can't be read as a picture, so it will be sent as a file."
