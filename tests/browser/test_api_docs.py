"""`/api/docs` in a real browser under our CSP, and the examples of docs/api.md as they stand."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import log_in
from tests.browser.demo_process import ROOT, Demo

pytestmark = pytest.mark.browser

EXAMPLES = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/api.md").read_text(), re.S | re.M)


def test_the_reference_is_drawn_and_can_be_tried_without_breaking_the_policy(
    context: BrowserContext, demo: Demo
) -> None:
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    strangers: list[str] = []
    page.on(
        "request",
        lambda one: None if one.url.startswith((demo.url, "data:")) else strangers.append(one.url),
    )
    log_in(page, demo)
    page.goto(f"{demo.url}/api/docs")
    call = page.locator("#operations-status-messaging_api_status_status")
    call.get_by_role("button").first.click()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    expect(call.locator(".live-responses-table")).to_contain_text("session_count")
    assert problems == []
    assert strangers == []


def _token(demo: Demo) -> str:
    port = demo.url.rpartition(":")[2]
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(demo.folder / "home"), "WEILINK_DEMO": "1",
        "PORT": port, "PYTHONPATH": str(demo.folder),
    }  # fmt: skip
    words = ["api_token", "create", demo.username, "--name", "docs"]
    made = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=demo.folder, env=environment, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return made.stdout.strip()


def _shop(context: BrowserContext, demo: Demo, api: Any) -> None:
    """Shop A scanned, and a message of Li Na."""
    demo.control("switches", scripts_on=False)
    login = api.post("/api/v1/logins", data={"name": "Shop A"}).json()
    handle = demo.read("logins")[-1]["handle"]
    demo.control("scan", handle=handle, account="Lin")
    bot = demo.control("confirm", handle=handle)
    while login["status"] != "confirmed":
        place = f"/api/v1/logins/{login['id']}?wait=10&seen={login['version']}"
        login = api.get(place).json()
        assert login["status"] in {"waiting", "scanned", "confirmed"}
    demo.control("add_person", name="Li Na", user_id="lina@im.wechat")
    demo.control("write", bot_id=bot["bot_id"], person_id="lina@im.wechat", text="hello")


def test_every_example_of_the_document_works(
    context: BrowserContext, demo: Demo, tmp_path: Path
) -> None:
    assert len(EXAMPLES) >= 8
    token = _token(demo)
    with_token = {"Authorization": f"Bearer {token}"}
    playwright_api = context.browser.new_context(  # type: ignore[union-attr]
        base_url=demo.url, extra_http_headers=with_token
    )
    _shop(context, demo, playwright_api.request)
    playwright_api.close()
    # --fail-with-body: a refusal is a failure of the example
    script = 'set -e\ncurl() { command curl --fail-with-body "$@"; echo; }\n' + "\n".join(EXAMPLES)
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "CONSOLE": demo.url, "TOKEN": token},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"hello"' in ran.stdout
    assert '"cancelled"' in ran.stdout
    assert '"remaining": 9' in ran.stdout
    answers = [json.loads(one) for one in ran.stdout.splitlines() if one.startswith('{"id"')]
    assert "failed" in [one["status"] for one in answers]  # dismissed, and not sent again
    assert [one["held_by"] for one in answers if one.get("text") == "This one waits"] == [None]
