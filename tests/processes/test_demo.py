"""`make demo`: WEILINK_DEMO=1 in a fresh copy of the sources, on an empty HOME."""

import re
import stat
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.processes.checkout import copy_to
from tests.processes.child import Child, environment, wait_for
from tests.processes.console import log_in

HOME_PAGE = "/sessions/"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git would hand out; the demo keeps its data inside it."""
    copy = tmp_path_factory.mktemp("demo") / "checkout"
    copy_to(copy)
    return copy


class Demo:
    """The demo in the copy; `start` waits for /healthz and says when that was."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.checkout, self.folder = checkout, folder
        self.home = folder / "home"
        self.port = free_port()
        self.children: list[Child] = []

    def start(self) -> None:
        env = environment(
            self.home,
            WEILINK_DEMO="1",
            PORT=str(self.port),
            PYTHONPATH=str(self.checkout),
            PYTHONDONTWRITEBYTECODE="1",
        )
        log = self.folder / f"demo-{len(self.children) + 1}"
        child = Child(["console"], env=env, log=log, cwd=self.checkout)
        self.children.append(child)

        def answers() -> bool:
            assert child.is_running, child.err
            return self.status("/healthz") == 200

        wait_for(answers, "/healthz answering", within_s=90)

    def status(self, path: str) -> int:
        address = f"http://127.0.0.1:{self.port}{path}"
        with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            return int(answer.status)
        return 0

    @property
    def login(self) -> tuple[str, str]:
        """What the newest start printed."""
        said = self.children[-1].out
        found = re.search(r"Log in as (\S+) with the password (\S+)", said)
        assert found is not None, said
        return found[1], found[2]


@pytest.fixture
def demo(checkout: Path, tmp_path: Path) -> Iterator[Demo]:
    made = Demo(checkout, tmp_path)
    yield made
    for child in made.children:
        if child.is_running:
            child.kill()


def test_the_demo_serves_prints_its_login_and_leaves_home_alone(demo: Demo) -> None:
    demo.start()
    wait_for(lambda: demo.status("/readyz") == 200, "/readyz", within_s=60)
    assert f"http://localhost:{demo.port}\n" in demo.children[0].out
    assert demo.status("/simulator/") == 200
    kept = demo.checkout / "var" / "demo" / "login.txt"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_text().split() == list(demo.login)
    cookie = log_in(demo.port, *demo.login)
    request = urllib.request.Request(
        f"http://127.0.0.1:{demo.port}{HOME_PAGE}", headers={"Cookie": cookie}
    )
    with urllib.request.urlopen(request, timeout=10) as page:
        assert page.status == 200
        assert page.url.endswith(HOME_PAGE)

    first = demo.login
    assert demo.children[0].terminate() == 0
    demo.start()
    assert demo.login == first
    assert demo.children[1].terminate() == 0
    assert list(demo.home.iterdir()) == []
    assert [path.name for path in (demo.checkout / "var").iterdir()] == ["demo"]


def test_a_port_that_the_demos_own_wechat_is_not_at_is_refused(demo: Demo) -> None:
    env = environment(demo.home, WEILINK_DEMO="1", PORT=str(demo.port))
    child = Child(
        ["console", "--port", "1"], env=env, log=demo.folder / "refused", cwd=demo.checkout
    )
    assert child.wait() == 1
    assert child.err == "The demo takes its port from PORT: PORT=1 make demo\n"
