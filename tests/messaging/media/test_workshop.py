"""The helper process: fresh, without secrets, replaced when it dies, ended at once."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.media.workshop import WorkRefused, Workshop
from tests.messaging.media import samples
from tests.processes.child import wait_for


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    made = Workshop(timeout_s=20)
    yield made
    made.close()


def picture_job(folder: Path, content: bytes) -> dict[str, object]:
    source = folder / "picture"
    source.write_bytes(content)
    target = str(folder / "thumb")
    return {"do": "picture", "source": str(source), "target": target, "most_pixels": 10_000_000}


def helper_of(workshop: Workshop) -> int:
    assert workshop._process is not None
    return workshop._process.pid


def test_it_works_on_and_says_what_it_refuses(workshop: Workshop, tmp_path: Path) -> None:
    good = picture_job(tmp_path, samples.picture())
    assert workshop.do_now(good) == {"width": 64, "height": 40}
    first = helper_of(workshop)
    for content, code in (
        (samples.HTML, "not_a_picture"),
        (samples.picture_bomb(), "too_many_pixels"),
    ):
        with pytest.raises(WorkRefused) as refused:
            workshop.do_now(picture_job(tmp_path, content))
        assert refused.value.code == code
    with pytest.raises(WorkRefused):
        workshop.do_now({"do": "anything else"})
    assert helper_of(workshop) == first


def test_it_knows_none_of_our_secrets(workshop: Workshop, tmp_path: Path) -> None:
    workshop.do_now(picture_job(tmp_path, samples.picture()))
    environment = Path(f"/proc/{helper_of(workshop)}/environ").read_bytes()
    assert b"SECRET_KEY" in b" ".join(name.encode() for name in os.environ)
    assert b"SECRET_KEY" not in environment
    assert b"CREDENTIAL" not in environment


def test_another_one_takes_over_from_one_that_died(workshop: Workshop, tmp_path: Path) -> None:
    job = picture_job(tmp_path, samples.picture())
    workshop.do_now(job)
    first = helper_of(workshop)
    assert workshop._process is not None
    workshop._process.kill()
    workshop._process.wait()
    assert workshop.do_now(job)["width"] == 64
    assert helper_of(workshop) != first


def test_a_stop_in_the_middle_of_a_job_ends_it(tmp_path: Path) -> None:
    workshop = Workshop(timeout_s=60)
    source = tmp_path / "endless"
    os.mkfifo(source)  # nobody ever writes into it: the job would never end
    job = {"do": "voice", "source": str(source), "target": "x", "rate": 0}
    limits = {"most_bytes": 10, "most_seconds": 10}
    refused: list[str] = []

    def ask() -> None:
        try:
            workshop.do_now({**job, **limits})
        except WorkRefused as refusal:
            refused.append(refusal.code)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_for(lambda: workshop._process is not None, "a process for the job")
    workshop.close()
    asking.join(30)
    assert not asking.is_alive()
    assert refused == ["not_readable"]
