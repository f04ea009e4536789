"""A voice plays as far as it decodes, and says where it is not whole; the helper outlives it."""

import os
import random
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from messaging.media.workshop import WorkRefused, Workshop
from messaging.models import Attachment
from tests.conftest import Running
from tests.messaging.media import samples
from tests.messaging.media.cut_samples import SILK_HEAD, frames, voice
from tests.messaging.media.rows import LINA, fetched_messages

FRAMES = frames()
WHOLE = voice(FRAMES)
DICE = random.Random(8)
NOISE = [DICE.randbytes(40) for _ in range(20)]
BAD = b"\xff" * 40


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    made = Workshop(timeout_s=60)
    yield made
    made.close()


def decoded(workshop: Workshop, folder: Path, content: bytes, rate: int = 24_000) -> dict[str, Any]:
    source, target = folder / "voice", folder / "voice.wav"
    source.write_bytes(content)
    job = {"do": "voice", "source": str(source), "target": str(target), "rate": rate}
    made = workshop.do_now({**job, "most_bytes": 2**21, "most_seconds": 600})
    with wave.open(str(target)) as sound:
        assert sound.getnframes() * 1000 // sound.getframerate() == made["duration_ms"]
    return made


def refusal(workshop: Workshop, folder: Path, content: bytes) -> str:
    with pytest.raises(WorkRefused) as refused:
        decoded(workshop, folder, content)
    return refused.value.code


@pytest.mark.parametrize(
    ("content", "duration_ms", "is_incomplete"),
    [
        pytest.param(WHOLE, 3_000, False, id="whole"),
        pytest.param(WHOLE[1:], 3_000, False, id="without the first byte"),
        pytest.param(WHOLE + b"\xff\xff", 3_000, False, id="end mark"),
        pytest.param(WHOLE[1:] + b"\xff\xff", 3_000, False, id="as other programs write it"),
        pytest.param(WHOLE + b"\xff\xff" + NOISE[0], 3_000, False, id="behind the end mark"),
        pytest.param(WHOLE + b"\0", 3_000, False, id="one zero"),
        pytest.param(WHOLE + bytes(1_000), 3_000, False, id="zeros"),
        pytest.param(WHOLE[:-5], 2_980, True, id="cut in a frame"),
        pytest.param(WHOLE + b"\x10", 3_000, True, id="cut in a length"),
        pytest.param(WHOLE + b"\x99\x09" + NOISE[0], 3_000, True, id="garbage behind it"),
        pytest.param(voice(FRAMES[:1]), 20, False, id="one frame"),
        pytest.param(voice([*FRAMES[:50], b"", *FRAMES[50:]]), 3_020, False, id="a silent frame"),
        pytest.param(
            voice([*FRAMES[:50], BAD, *FRAMES[51:]]), 3_000, True, id="one bad frame in the middle"
        ),
        pytest.param(voice([*FRAMES, BAD, BAD]), 3_000, True, id="bad frames at the end"),
        pytest.param(voice([*FRAMES[:20], *[BAD] * 30]), 400, True, id="nothing else follows"),
    ],
)
def test_it_plays_as_far_as_it_decodes(
    workshop: Workshop, tmp_path: Path, content: bytes, duration_ms: int, is_incomplete: bool
) -> None:
    made = decoded(workshop, tmp_path, content)
    assert made["duration_ms"] == duration_ms
    assert made.get("is_incomplete", False) == is_incomplete


@pytest.mark.parametrize("cut", [1, 2, 3, 40, 700, 3_000, 7_000])
def test_wherever_it_is_cut_the_whole_frames_before_it_play(
    workshop: Workshop, tmp_path: Path, cut: int
) -> None:
    left, whole_frames = len(WHOLE) - cut - len(SILK_HEAD), 0
    for frame in FRAMES:
        left -= len(frame) + 2
        whole_frames += left >= 0
    made = decoded(workshop, tmp_path, WHOLE[:-cut])
    assert made["duration_ms"] == whole_frames * 20


@pytest.mark.parametrize(
    "content",
    [b"", SILK_HEAD, SILK_HEAD[1:], SILK_HEAD[:5], WHOLE[:20], voice([BAD] * 50), voice([b""] * 9)],
)
def test_where_no_frame_is_whole_there_is_no_voice(
    workshop: Workshop, tmp_path: Path, content: bytes
) -> None:
    assert refusal(workshop, tmp_path, content) == "not_a_voice"


@pytest.mark.parametrize("rate", [8_000, 12_000, 16_000, 24_000, 44_100, 48_000, 0, 11_025])
def test_the_rate_that_wechat_names_changes_nothing(
    workshop: Workshop, tmp_path: Path, rate: int
) -> None:
    made = decoded(workshop, tmp_path, WHOLE[:-5], rate)
    assert (made["duration_ms"], made["is_incomplete"]) == (2_980, True)


def test_frames_that_kill_the_decoder_cost_themselves_alone(
    workshop: Workshop, tmp_path: Path
) -> None:
    """Some make it write where it must not; it is run where that hurts nobody."""
    decoded(workshop, tmp_path, WHOLE)
    assert workshop._process is not None
    helper = workshop._process.pid
    for _ in range(40):
        broken = list(FRAMES)
        for place in DICE.sample(range(20, len(broken)), 25):
            broken[place] = DICE.randbytes(DICE.randint(1, 1_000))
        assert decoded(workshop, tmp_path, voice(broken))["duration_ms"] >= 400
    assert workshop._process.pid == helper
    os.kill(helper, 0)


async def test_it_is_here_marked_and_still_a_voice(running: Running) -> None:
    """Through the worker: cut, whole, and whole but shorter than WeChat says."""
    sent = [(WHOLE[:-5], 2_980), (WHOLE + b"\xff\xff", 3_000), (voice(FRAMES[:50]), 3_000)]
    rows = await fetched_messages(
        running,
        *(
            {"type": 3, "voice_item": {"media": content, "playtime": ms, "encode_type": 6}}
            for content, ms in sent
        ),
    )
    assert [(row.state, row.error, bool(row.sound_name)) for row in rows] == [
        ("stored", "", True)
    ] * 3
    assert [row.is_incomplete for row in rows] == [True, False, True]
    assert [row.duration_ms for row in rows] == [2_980, 3_000, 1_000]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"#!AMR\n" + bytes(60), "audio/amr"),
        (b"OggS" + bytes(24) + b"Speex   1.2" + bytes(60), "audio/x-speex"),
    ],
)
async def test_what_nobody_here_can_play_is_a_download(
    running: Running, content: bytes, content_type: str
) -> None:
    [row] = await fetched_messages(running, {"type": 3, "voice_item": {"media": content}})
    assert (row.state, row.error, row.content_type) == ("stored", "not_playable", content_type)
    assert not row.sound_name
    assert await Attachment.objects.filter(message__conversation__contact__user_id=LINA).aexists()


def test_the_sample_is_a_voice() -> None:
    assert samples.silk(3.0) == WHOLE
