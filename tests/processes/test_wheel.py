"""The wheel: it holds every file that the console needs, and a console runs from it alone."""

import http.client
import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.processes.checkout import file_names
from tests.processes.child import environment, wait_for
from tests.processes.installed import Installed, build_wheel

PACKAGES = ("weilink_site/", "sessions_app/", "messaging/")
MOVED = ("templates/", "static/")
"""In the wheel they lie inside weilink_site."""
NEEDED = (
    "weilink_site/templates/base.html",
    "weilink_site/static/js/console.js",
    "weilink_site/locale/zh_Hans/LC_MESSAGES/django.mo",
    "sessions_app/simulator/page/static/simulator.html",
    "sessions_app/simulator/media/video.mp4",
    "sessions_app/templatetags/console.py",
    "messaging/migrations/0001_initial.py",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Installed:
    made = Installed(wheel.parent)
    made.install(wheel)
    return made


def test_the_wheel_holds_every_file_of_ours_and_nothing_else(wheel: Path) -> None:
    names = file_names()
    wanted = {name for name in names if name.startswith(PACKAGES)}
    wanted |= {f"weilink_site/{name}" for name in names if name.startswith(MOVED)}
    assert wanted.issuperset(NEEDED)
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == wanted


def test_the_python_api_needs_no_django(installed: Installed, tmp_path: Path) -> None:
    code = (
        "import sys; from sessions_app import WeiLink; import sessions_app;"
        "print(sessions_app.__file__, WeiLink.__name__, 'django' in sys.modules)"
    )
    file, *words = installed.python(code, tmp_path).split()
    assert Path(file).is_relative_to(installed.folder)
    assert words == ["WeiLink", "False"]


def test_the_doctor_of_the_wheel_names_its_own_commands(
    installed: Installed, tmp_path: Path
) -> None:
    done = subprocess.run(
        [installed.bin / "weilink-console", "doctor", "--json"],
        cwd=tmp_path,
        env=environment(
            tmp_path / "home",
            PYTHONDONTWRITEBYTECODE="1",
            WEILINK_ILINK_URL="http://127.0.0.1:1",
            WEILINK_CDN_URL="http://127.0.0.1:1",
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    advice = {one["name"]: one["advice"] for one in json.loads(done.stdout)["checks"]}
    assert "run `weilink-console migrate`" in advice["database"]


@pytest.fixture
def console(installed: Installed, tmp_path: Path) -> Iterator["InstalledConsole"]:
    made = InstalledConsole(installed, tmp_path)
    yield made
    made.stop()


class InstalledConsole:
    """`weilink-console console`, started in an empty folder."""

    def __init__(self, installed: Installed, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self.port = free_port()
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [installed.bin / "weilink-console", "console", "--port", str(self.port)],
                cwd=self.folder,
                env=environment(folder / "home", PYTHONDONTWRITEBYTECODE="1"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def get(self, path: str, language: str = "en") -> tuple[int, str]:
        """(status, body); status 0 while nothing answers."""
        assert self.process.poll() is None, self.log.read_text()
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            line.request("GET", path, headers={"Accept-Language": language})
            answer = line.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            line.close()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(30)


def test_a_console_runs_from_the_wheel_in_an_empty_folder(console: InstalledConsole) -> None:
    wait_for(lambda: console.get("/healthz")[0] == 200, "/healthz answering", within_s=90)

    status, page = console.get("/accounts/login/", language="zh-hans")
    assert status == 200
    assert "用户名" in page
    [style, *_] = [part for part in page.split('"') if part.endswith(".css")]
    assert console.get(style)[0] == 200
    assert console.stop() == 0
    assert {"console.sqlite3", "secret_key", "credential_keys"} <= {
        path.name for path in (console.folder / "var").iterdir()
    }
    assert [path.name for path in console.folder.iterdir()] == ["var"]
    assert "Traceback" not in console.log.read_text()
