"""The wheel of this checkout, and an environment that has it installed."""

import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.processes.checkout import copy_to
from tests.processes.child import environment

PIP = (sys.executable, "-m", "pip", "--no-cache-dir", "--disable-pip-version-check", "--quiet")


class Installed:
    """An environment with the wheel in it; its dependencies are those of the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "environment"
        self.env = environment(folder / "home", PYTHONDONTWRITEBYTECODE="1")
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


def build_wheel(folder: Path) -> Path:
    """The wheel's file, built in `folder` from what git would hand out."""
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
