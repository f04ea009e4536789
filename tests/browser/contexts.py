"""Browser contexts for one test after the other: what is cached stays, all else is new.

A page in a new context costs several times the work: some 80 files are asked for and compiled.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

USUAL: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB"}
TIMEOUT_MS = 30_000

Take = Callable[..., BrowserContext]
"""A context of these options; two that are taken by one test are of two people."""


@dataclass
class Kept:
    """A context, and the page of its own through which it is emptied."""

    kind: str
    context: BrowserContext
    keeper: Page
    lines: CDPSession
    is_taken: bool = field(default=False)


class Contexts:
    """Those of one browser, by their options."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._all: list[Kept] = []

    @contextmanager
    def lent(self) -> Iterator[Take]:
        """As many as somebody needs; all go back at the end."""
        taken: list[Kept] = []

        def take(*, script: str = "", **options: Any) -> BrowserContext:
            taken.append(self._take(script, USUAL | options))
            return taken[-1].context

        try:
            yield take
        finally:
            for one in taken:
                self._empty(one)

    def _take(self, script: str, options: dict[str, Any]) -> Kept:
        kind = repr((script, sorted(options.items())))
        free = (one for one in self._all if one.kind == kind and not one.is_taken)
        found = next(free, None) or self._make(kind, script, options)
        found.is_taken = True
        return found

    def _make(self, kind: str, script: str, options: dict[str, Any]) -> Kept:
        context = self._browser.new_context(**options)
        context.set_default_timeout(TIMEOUT_MS)
        if script:
            context.add_init_script(script)
        keeper = context.new_page()
        made = Kept(kind, context, keeper, context.new_cdp_session(keeper))
        self._all.append(made)
        return made

    def _empty(self, kept: Kept) -> None:
        """No page, no cookie, no permission and nothing stored is left for the next test."""
        context = kept.context
        places = set()
        for page in context.pages:
            if page is not kept.keeper:
                places.add("{0.scheme}://{0.netloc}".format(urlsplit(page.url)))
                page.close()
        context.set_offline(False)
        context.set_default_timeout(TIMEOUT_MS)
        context.clear_cookies()
        context.clear_permissions()
        for place in places:
            if place.startswith("http"):
                what = {"origin": place, "storageTypes": "local_storage,indexeddb"}
                kept.lines.send("Storage.clearDataForOrigin", what)
        kept.is_taken = False
