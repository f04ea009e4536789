"""The page `/simulator/`: one HTML file filled with texts, plus its css and module.

It has no inline script or style and loads nothing from other hosts; the content security policy
enforces that. The page never receives a bot token.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sessions_app.simulator.addresses import mount_of
from sessions_app.simulator.page.texts import LANGUAGES, TEXTS

STATIC = Path(__file__).with_name("static")
FILES = {
    "icon.svg": "image/svg+xml",
    "simulator.css": "text/css",
    "simulator.js": "text/javascript",
    "phones.js": "text/javascript",
    "chat.js": "text/javascript",
    "server.js": "text/javascript",
    "wire.js": "text/javascript",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def routes(page: str) -> list[Route]:
    """The routes. `page`: the path of the page, without a trailing slash."""

    async def to_page(request: Request) -> Response:
        return RedirectResponse(f"{mount_of(request.scope)}{page}/", 302)

    found = [
        Route(f"{page}/", show, methods=["GET"]),
        Route(f"{page}/scan", show, methods=["GET"]),
        Route(page + "/static/{name}", static, methods=["GET"]),
    ]
    if page:
        found += [Route(page, to_page), Route("/", to_page)]
    return found


async def show(request: Request) -> Response:
    """The page. With `?code=` (the URL in the QR code) only the phones that may scan it."""
    language = language_of(request)
    texts = TEXTS[language]
    code = request.query_params.get("code", "")
    page = (STATIC / "simulator.html").read_text(encoding="utf-8")
    filled = Template(page).substitute(
        {name: html.escape(text) for name, text in texts.items()},
        lang=LANGUAGES[language],
        code=html.escape(code),
        texts=html.escape(json.dumps(texts, ensure_ascii=False)),
    )
    headers = {
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language",
    }
    return Response(filled, headers=headers, media_type="text/html")


async def static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in FILES:
        return Response(status_code=404)
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return Response((STATIC / name).read_bytes(), headers=headers, media_type=FILES[name])


def language_of(request: Request) -> str:
    """`?lang=`, else the first supported language of Accept-Language, else English."""
    wanted = [request.query_params.get("lang", "")]
    wanted += request.headers.get("accept-language", "").split(",")
    for word in wanted:
        short = word.strip().partition(";")[0][:2].lower()
        if short in TEXTS:
            return short
    return "en"
