"""The wheel: it holds every file that the console needs, and a console runs from it alone."""

import http.client
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.checkout import copy_to, file_names
from tests.processes.child import environment, free_port, wait_for

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
PIP = (sys.executable, "-m", "pip", "--no-cache-dir", "--disable-pip-version-check", "--quiet")


class Installed:
    """An environment with the wheel in it; its dependencies are those of the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "environment"
        self.env = environment(folder / "home")
        self._run(sys.executable, "-m", "venv", "--without-pip", str(self.folder))

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    def install(self, wheel: Path) -> None:
        into = (*PIP, "--python", str(self.bin / "python"), "install")
        self._run(*into, "--no-deps", "--no-index", "--no-compile", str(wheel))
        # Named in a .pth file, a folder's own .pth files are not read: the checkout that the
        # tests run from is not installed here.
        [packages] = self.folder.glob("lib/python*/site-packages")
        (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))

    def python(self, code: str, cwd: Path) -> str:
        return self._run(str(self.bin / "python"), "-c", code, cwd=cwd)

    def _run(self, *command: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            command, cwd=cwd, env=self.env, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    copy_to(folder / "sources")
    subprocess.run(
        [*PIP, "wheel", ".", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)],
        cwd=folder / "sources",
        env=environment(folder / "home"),
        capture_output=True,
        timeout=300,
        check=True,
    )
    [built] = folder.glob("*.whl")
    return built


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
                env=environment(folder / "home"),
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
