"""`python -m tests.supply.sbom FILE`: what the console consists of, as CycloneDX 1.6 in JSON.

The locked Python packages with versions and licences, and the vendored files of the pages. The same
sources give the same file, so that two releases can be compared.
"""

import json
import re
import sys
import uuid
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)
VENDORED = re.compile(r"^\| `[^`]+` \| ([a-z.-]+) ([0-9.]+)[^|]*\| ([^|]+) \|", re.MULTILINE)
SPDX = {"Apache 2.0": "Apache-2.0", "ISC and MIT": "ISC AND MIT", "0BSD": "0BSD"}

Component = dict[str, Any]


def python_packages() -> Iterator[Component]:
    locked = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8")
    for name, version in sorted(LOCKED.findall(locked)):
        yield _component(name, version, f"pkg:pypi/{name.lower()}@{version}", licence_of(name))


def vendored_files() -> Iterator[Component]:
    table = (ROOT / "static" / "vendor" / "README.md").read_text(encoding="utf-8")
    for name, version, licence in VENDORED.findall(table):
        words = licence.partition(", ")[0]
        spdx = SPDX.get(words)
        licences = [{"expression": spdx}] if spdx else [{"license": {"name": words}}]
        yield _component(name, version, f"pkg:npm/{name}@{version}", licences)


def licence_of(name: str) -> list[dict[str, Any]]:
    """From the installed package; empty for one that this platform does not install."""
    try:
        facts = metadata.metadata(name).json
    except metadata.PackageNotFoundError:
        return []
    if expression := facts.get("license_expression"):
        return [{"expression": expression}]
    classified = [
        one.rpartition(" :: ")[2]
        for one in facts.get("classifier") or []
        if one.startswith("License :: ") and one != "License :: OSI Approved"
    ]
    given = classified or str(facts.get("license") or "").splitlines()[:1]
    return [{"license": {"name": one}} for one in given]


def _component(name: str, version: str, purl: str, licences: Sequence[Any]) -> Component:
    found: Component = {
        "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
    }  # fmt: skip
    return {**found, "licenses": list(licences)} if licences else found


def sbom() -> dict[str, Any]:
    version = metadata.version("weilink-console")
    ours = f"pkg:generic/weilink-console@{version}"
    components = [*python_packages(), *vendored_files()]
    refs = [one["bom-ref"] for one in components]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([ours, *refs]))}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": ours, "name": "weilink-console",
                "version": version, "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": ours, "dependsOn": refs}, *({"ref": one} for one in refs)],
    }  # fmt: skip


def main(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    made = sbom()
    target.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{target}: {len(made['components'])} components")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
