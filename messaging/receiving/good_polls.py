"""Writes first good polls together: at a start a thousand sessions come within seconds."""

import asyncio
from datetime import datetime

from messaging.receiving import poll_notes
from messaging.receiving.binding import Binding
from sessions_app.database.database_thread import RunInDatabaseThread

MAX_GROUP = 200


class GoodPolls:
    """`await note(binding, at)` returns when the good poll is written."""

    def __init__(self, run_in_database_thread: RunInDatabaseThread) -> None:
        self.run_in_database_thread = run_in_database_thread
        self._waiting: dict[Binding, tuple[datetime, asyncio.Future[None]]] = {}
        self._writing: asyncio.Task[None] | None = None

    async def note(self, binding: Binding, at: datetime) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[binding] = (at, done)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.ensure_future(self._write_all())
        await done

    async def _write_all(self) -> None:
        while self._waiting:
            group = {
                binding: self._waiting.pop(binding) for binding in list(self._waiting)[:MAX_GROUP]
            }
            error: Exception | None = None
            try:
                polls = {binding: at for binding, (at, _done) in group.items()}
                await self.run_in_database_thread(poll_notes.good_polls, polls)
            except Exception as problem:
                error = problem
            for _at, done in group.values():
                if done.done():  # the loop that waited was ended
                    continue
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)
