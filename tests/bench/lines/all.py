"""Every line of the table, in its order."""

import asyncio

from tests.bench.bench import Bench, Line
from tests.bench.figures import Figure
from tests.bench.lines import (
    crowd_pages,
    floods,
    heavy,
    idle,
    long_run,
    pollers,
    reaching_pages,
    replies,
    starting,
)
from tests.bench.lines.pictures import texts_beside_pictures
from tests.bench.lines.screen import from_wechat_to_screen


async def _pictures(bench: Bench) -> list[Figure]:
    return [await asyncio.to_thread(texts_beside_pictures, bench.new_folder())]


async def _screen(bench: Bench) -> list[Figure]:
    return [await asyncio.to_thread(from_wechat_to_screen, bench.new_folder())]


LINES = (
    Line("B1", "from WeChat to one open page, and its CPU", reaching_pages.one_page),
    Line("B2", "one message to 50 and to 200 open pages", reaching_pages.some_pages),
    Line("B2-1000", "to 1,000 open pages", reaching_pages.a_thousand_pages, is_long=True),
    Line("B3", "from a program's reply to WeChat", replies.one_reply),
    Line("B4", "idle sessions: 0, 100, 300 and 1,000", idle.idle),
    Line("B4-3000", "3,000 idle sessions", idle.idle_3000, is_long=True),
    Line("B5", "start, stop, and following the shared folder", starting.start),
    Line("B6", "one message on each of many sessions at once", floods.at_once),
    Line("B7", "a backlog, beside the SDK's own store", floods.backlog),
    Line("B8", "lone messages from many sessions", floods.lone),
    Line("B9", "pages among a million messages", crowd_pages.crowd_pages, is_long=True),
    Line("B10", "150 API requests at once", heavy.many_requests),
    Line("B11", "a text of 30 MB", heavy.large_text),
    Line("B12", "one of three pollers killed", pollers.one_killed, is_long=True),
    Line("B13", "24 simulated hours", long_run.day, is_long=True),
    Line("B13-2h", "the first two of them", long_run.two_hours, is_long=True),
    Line("pictures", "texts while 200 pictures arrive", _pictures, is_long=True),
    Line("screen", "from WeChat to a browser's screen", _screen, is_long=True),
)
