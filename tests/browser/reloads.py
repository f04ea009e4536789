"""A reload whose page arrives late: the server draws it before the page before it has ended."""

from playwright.sync_api import APIResponse, Page, Route

from tests.browser.until import until


def reload_slowly(page: Page) -> None:
    """The page is drawn at once, but arrives only when the page before it has saved the draft."""
    drawn: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        drawn.append((route, route.fetch()))

    page.route(page.url, hold)
    with page.expect_response("**/draft/"):
        page.evaluate("() => { location.reload(); }")
    until(page, lambda: drawn, "the page is drawn")
    [(route, response)] = drawn
    with page.expect_event("load"):
        route.fulfill(response=response)
    page.unroute(page.url)
