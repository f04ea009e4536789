"""Dockerfile, compose file, units and proxy examples, each checked by its own tool."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "docs/deploy"
UNITS = ("weilink-web@.service", "weilink-poller@.service")


def _tool(name: str) -> str:
    """Its path: in this environment, on PATH or where Debian puts servers."""
    folders = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    if found := shutil.which(name, path=folders):
        return found
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"{name} is required here and is not installed")
    pytest.skip(f"{name} is not installed")


def _checked(*command: str | Path, **env: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_dockerfile_has_no_finding() -> None:
    assert _checked(_tool("hadolint"), ROOT / "Dockerfile") == ""


def test_the_compose_file_follows_the_schema() -> None:
    tool = _tool("check-jsonschema")
    _checked(tool, "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml")


def test_the_containers_can_change_nothing_but_their_data() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    ours = {name: one for name, one in services.items() if "weilink-console" in one["image"]}
    assert set(ours) == {"setup", "web1", "web2", "poller1", "poller2"}
    for one in ours.values():
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["volumes"] == ["console:/srv/weilink/var"]
    last = (ROOT / "Dockerfile").read_text().rpartition("FROM ")[2]
    assert re.search(r"^USER (?!0|root)\d+:\d+$", last, re.MULTILINE)
    assert "\nHEALTHCHECK " in last


def test_the_image_holds_what_the_wheel_is_built_from() -> None:
    """`.dockerignore` lets in what the Dockerfile copies, and no data of a checkout."""
    let_in = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    copied = {name.partition("/")[0] for line in lines for name in line.split()}
    assert let_in == copied
    assert not let_in & {"var", ".env", ".venv", ".git", "tests"}


def test_the_caddyfile_is_valid_and_in_caddys_form() -> None:
    caddy = _tool("caddy")
    file = DEPLOY / "Caddyfile"
    # Caddy keeps its own data below HOME.
    said = _checked(
        caddy, "validate", "--adapter", "caddyfile", "--config", file, DOMAIN="console.example.com"
    )
    assert "Valid configuration" in said
    assert _checked(caddy, "fmt", file).strip() == file.read_text().strip()


@pytest.mark.parametrize("name", UNITS)
def test_the_units_are_valid(name: str, tmp_path: Path) -> None:
    """With a program and a user that exist here, as systemd looks for them."""
    text = (DEPLOY / name).read_text()
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
    unit = tmp_path / name
    unit.write_text(
        text.replace("User=weilink", "User=root").replace("Group=weilink", "Group=root")
    )
    said = _checked(_tool("systemd-analyze"), "verify", "--man=no", unit)
    assert name not in said, said


def test_the_units_and_the_containers_run_the_same_programs() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    command = re.search(r'^CMD \["(daphne.+)"\]$', (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert command is not None
    assert command[1].split('", "') == services["web1"]["command"]
    for unit, service in zip(UNITS, ("web1", "poller1"), strict=True):
        found = re.search(r"^ExecStart=\S+/(.+)$", (DEPLOY / unit).read_text(), re.MULTILINE)
        assert found is not None
        outside = found[1].replace("127.0.0.1", "0.0.0.0").replace("800%i", "8000")
        assert outside.split() == services[service]["command"]
