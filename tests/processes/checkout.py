"""A copy of what git would hand out, for tests that install from it or keep data inside it."""

import shutil
import subprocess
from pathlib import Path

from tests.processes.child import ROOT


def file_names() -> list[str]:
    """Every file of the checkout that is tracked, or new and not ignored."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout
    return [name for name in names.decode().split("\0") if name and (ROOT / name).is_file()]


def copy_to(folder: Path) -> None:
    for name in file_names():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
