"""What the console is made of: the list of it, and how a look at advisories ends."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.supply import audit, sbom

ROOT = Path(__file__).resolve().parents[2]


def _output(*packages: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": list(packages), "fixes": []})


GOOD = {"name": "django", "version": "5.2", "vulns": []}
BAD = {"name": "pillow", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
SKIPPED = {"name": "regex", "skip_reason": "Dependency not found"}


def test_a_vulnerability_is_named_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "audit", lambda _file: audit.read(_output(GOOD, BAD, SKIPPED)))
    assert audit.main(["base.txt"], is_required=False) == 1
    said = capsys.readouterr().out
    assert "2 packages checked, 1 without an answer." in said
    assert "pillow 1: PYSEC-1, fixed in 2" in said


@pytest.mark.parametrize("output", ["", "no JSON", "{}", _output(SKIPPED)])
def test_without_advisories_it_says_that_nothing_was_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    monkeypatch.setattr(audit, "audit", lambda _file: audit.read(output))
    assert audit.main(["base.txt"], is_required=False) == 0
    assert "NOTHING was checked" in capsys.readouterr().out
    assert audit.main(["base.txt"], is_required=True) == 1


def test_packages_without_a_flaw_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "audit", lambda _file: audit.read(_output(GOOD)))
    assert audit.main(["base.txt", "dev.txt"], is_required=True) == 0


def test_the_list_has_every_locked_package_and_every_vendored_file(tmp_path: Path) -> None:
    target = tmp_path / "var" / "sbom.json"
    sbom.main(target)
    made = json.loads(target.read_text())
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", made["serialNumber"])
    names = {one["name"] for one in made["components"]}
    direct = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = {re.match(r"[\w-]+", one)[0].lower() for one in direct}  # type: ignore[index]
    assert wanted <= {name.lower() for name in names}
    assert {"htmx.org", "idiomorph", "emoji-picker-element", "lucide-static"} <= names
    licensed = [one for one in made["components"] if "licenses" in one]
    assert len(licensed) > len(made["components"]) * 0.9
    refs = [one["bom-ref"] for one in made["components"]]
    assert len(set(refs)) == len(refs)
    assert made == sbom.sbom()
