"""How long does a message take from WeChat to an open conversation?"""

import shutil
import statistics
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.bench.figures import Figure, Goal
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.browser.demo_process import copy_sources, start_demo
from tests.browser.shop import bound_shop, open_conversation, write

PERSON = "Tom Baker"


def from_wechat_to_screen(folder: Path) -> Figure:
    """Median of 50: from the request that injects a message to its bubble in the page."""
    copy_sources(folder)
    demo = start_demo(folder)
    try:
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
            page = browser.new_page()
            bound_shop(page, demo)
            write(demo, PERSON, "hello")
            open_conversation(page, PERSON)
            state = demo.read("state")
            person = demo.person_id(PERSON)
            chat = next(one for one in state["chats"] if one["person_id"] == person)
            took = page.evaluate(MEASURE, {"bot_id": chat["bot_id"], "person_id": person})
            browser.close()
    finally:
        demo.stop()
    return Figure(
        "screen",
        "from WeChat to a bubble in a browser, median",
        statistics.median(took),
        "ms",
        Goal(300),
        notes=f"{len(took)} messages, slowest {max(took):.0f} ms",
    )


MEASURE = """async (chat) => {
  const write = (text) => fetch("/simulator/control/write", {
    method: "POST", headers: {"Content-Type": "application/json"},
    body: JSON.stringify({...chat, text}),
  });
  const shown = (text) => [...document.querySelectorAll(".bubble")]
    .some((bubble) => bubble.textContent.includes(text));
  const took = [];
  for (let number = 0; number < 50; number += 1) {
    const text = `measured ${number} ${Math.random()}`;
    const seen = new Promise((done) => {
      const watch = new MutationObserver(() => {
        if (shown(text)) { watch.disconnect(); done(); }
      });
      watch.observe(document.body, {childList: true, subtree: true, characterData: true});
    });
    const began = performance.now();
    await write(text);
    await seen;
    took.push(performance.now() - began);
  }
  return took;
}"""
