"""The pages and dialogs about people, beside those in `places`."""

import re
import time

from playwright.sync_api import Page, expect

from tests.browser.demo_process import Demo
from tests.browser.places import Place, Walk, _dialog, _here, _page


def _new_person(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/people/")
    page.get_by_role("link", name="Add a person").click()
    _dialog(page)


def _person_refused(page: Page, demo: Demo) -> None:
    _new_person(page, demo)
    page.get_by_role("button", name="Add and show the link").click()
    page.wait_for_selector("dialog .errors")


def _person_link(page: Page, demo: Demo) -> None:
    _new_person(page, demo)
    page.get_by_label("Username").fill(f"person{time.monotonic_ns()}")
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("A Person")
    page.get_by_label("Viewer").check()
    page.get_by_role("dialog").get_by_label("Everyone").check()
    page.get_by_role("button", name="Add and show the link").click()
    expect(page.get_by_label("One-time link")).to_have_value(re.compile("/password/"))


def _welcome(page: Page, demo: Demo) -> None:
    _person_link(page, demo)
    page.goto(_here(demo, page.get_by_label("One-time link").input_value()))
    page.get_by_role("button", name="Save the password").click()
    page.wait_for_selector(".errors")


def _wei(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/people/?q=wei")
    page.get_by_role("rowheader").get_by_role("link").first.click()
    expect(page.get_by_role("link", name="Disable")).to_be_visible()


def _about_wei(name: str) -> Walk:
    def walk(page: Page, demo: Demo) -> None:
        _wei(page, demo)
        page.get_by_role("link", name=name).click()
        _dialog(page)

    return walk


PEOPLE = (
    Place("people", _page("/people/")),
    Place("people not found", _page("/people/?q=nobody-of-this-name")),
    Place("person added", _new_person),
    Place("person refused", _person_refused),
    Place("person link", _person_link),
    Place("person welcome", _welcome),
    Place("person invited", _page("/people/invite/")),
    Place("person", _wei),
    Place("person password", _about_wei("New password link")),
    Place("person disabled", _about_wei("Disable")),
    Place("people in teams", _page("/people/teams/")),
    Place("person leaving", _page("/account/leaving/")),
)
