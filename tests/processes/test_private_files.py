"""Nobody else on the machine reads what a console keeps: not now, and not from an older version.

And who gets hold of it finds no secret in plain, but for those that are listed with a reason.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import plain_secrets
from tests.processes.child import wait_for
from tests.processes.console import Console

LINA = "lina@im.wechat"


def _open_to_others(folder: Path) -> list[str]:
    """Every file and folder below that somebody else could read, write or enter."""
    paths = (Path(root, name) for root, dirs, files in os.walk(folder) for name in [*dirs, *files])
    return sorted(
        f"{path.lstat().st_mode & 0o777:o} {path.relative_to(folder)}"
        for path in paths
        if not path.is_symlink() and path.lstat().st_mode & 0o077
    )


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_run_leaves_nothing_that_others_could_read_and_no_secret_in_plain(
    console: Console, usual_umask: None
) -> None:
    data = console.folder / "data"
    data.mkdir(mode=0o755)
    for old in ("console.sqlite3", "gathered_static"):
        (console.folder / old).rename(data / old)
    (data / "console.sqlite3").chmod(0o644)
    (data / "media").mkdir(mode=0o755)
    (data / "media" / "old.jpg").write_bytes(b"old")
    console.database = data / "console.sqlite3"
    console.env |= {
        "DATABASE_URL": f"sqlite:///{console.database}",
        "WEILINK_MEDIA_ROOT": str(data / "media"),
    }
    console.start()
    [bot] = console.bind("Lin")
    secrets = plain_secrets.use_secrets(console, bot, LINA)
    wait_for(lambda: len(console.incoming()) == 2, "both stored")
    media = data / "media"
    wait_for(lambda: len([one for one in media.rglob("*") if one.is_file()]) > 1, "it downloaded")
    filed = console.folder / "weilink"
    in_plain = ("context token", "bot token")
    wait_for(
        lambda: {one.secret for one in plain_secrets.found_in(filed, secrets)} == {*in_plain},
        "the shared folder written",
    )
    found = plain_secrets.found_in(console.folder, secrets)  # with the files of a running console
    assert console.child.terminate() == 0
    found |= plain_secrets.found_in(console.folder, secrets)
    assert [one for one in found if not one.is_allowed] == []
    assert {one.secret for one in found} == {name for name, _place in plain_secrets.ALLOWED}
    assert data.stat().st_mode & 0o777 == 0o700
    assert _open_to_others(data) == []
    assert _open_to_others(console.folder / "weilink") == []


def test_a_folder_with_other_things_in_it_stays_as_it_is(
    console: Console, usual_umask: None
) -> None:
    """Such as a home folder: only our own is closed."""
    console.folder.chmod(0o755)
    (console.folder / "of-somebody-else").write_text("not ours")
    (console.folder / "of-somebody-else").chmod(0o644)
    console.database.chmod(0o644)
    console.start()
    assert console.child.terminate() == 0
    assert console.folder.stat().st_mode & 0o777 == 0o755
    assert (console.folder / "of-somebody-else").stat().st_mode & 0o777 == 0o644
    assert console.database.stat().st_mode & 0o777 == 0o600
