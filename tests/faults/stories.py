"""What is done with each endpoint while a fault lasts, what is seen of it, and how it ends well."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from django.core.files.storage import default_storage

from messaging.models import Attachment, Conversation, Message, Typing
from messaging.replying import typing_sign
from messaging.transfers import downloads
from sessions_app.login import attempts
from sessions_app.models import Context, LoginAttempt, Session, Team
from tests.faults.faults import Endpoint
from tests.faults.virtual_time import in_database, passes
from tests.faults.world import LINA, MEI, World
from tests.messaging.builders import text_message

FILE = b"the content of a file"
RECOVERS_WITHIN_S = 120.0
HOURS_S = 3 * 3_600.0


class Story(ABC):
    """`begin` makes the calls that the fault spoils; `seen` is what people then see.

    `end`: the fault is over. It fails unless everything that was written or queued gets through,
    once, with no more help than an agent or an operator can give on the page.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    async def prepare(self) -> None:
        """Before the fault."""
        await passes(0)

    @abstractmethod
    async def begin(self) -> None: ...

    @abstractmethod
    def seen(self) -> str: ...

    @abstractmethod
    async def end(self) -> None: ...

    async def is_connected(self) -> None:
        """The session of the calls is well again, by a new scan if WeChat has ended it."""
        if self.world.board().startswith("expired"):
            self.world.scan_again()
        await self.world.until(lambda: self.world.board() == "connected", "connected")


class Receiving(Story):
    """Li Na writes during the fault."""

    async def begin(self) -> None:
        # The poll in flight is older than the fault: it brings this, and the next one is spoiled.
        self.world.write(LINA, "before")
        await passes(1)
        self.world.write(LINA, "during")
        await passes(1)

    def seen(self) -> str:
        return f"{self.world.board()} · received {self.world.received('during')}"

    async def end(self) -> None:
        is_over = self.world.board().startswith("expired")
        await self.is_connected()
        self.world.write(LINA, "after")
        await self.world.until(lambda: self.world.received("after"), "received again")
        wanted = ["before", "after"] if is_over else ["before", "during", "after"]
        counts = {text: self.world.received(text) for text in wanted}
        assert counts == dict.fromkeys(wanted, 1), counts


class ReceivingLate(Receiving):
    """Li Na's newer message comes first, and the older one in a later answer."""

    async def begin(self) -> None:
        for text, age_s in (("during", 0), ("before", 60)):
            now_ms = int(self.world.clocks.right_s() * 1000)
            message = text_message(
                text, create_time_ms=now_ms - age_s * 1000, context_token=f"token {text}"
            )
            self.world.control.inject(self.world.victim.bot_id, [message])
            await passes(3)

    @in_database
    def seen(self) -> str:
        token = Context.objects.get(user_id=LINA, session=self.world.victim).token
        return f"{super().seen()} · {token}"


class Replying(Story):
    """Two replies to Li Na and one to Mei; `shown` are those that a phone must get once."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.doubtful: set[int] = set()

    async def begin(self) -> None:
        self.first = self.world.reply(LINA, "first")
        self.second = self.world.reply(LINA, "second")
        self.to_mei = self.world.reply(MEI, "to Mei")

    @property
    def replies(self) -> Sequence[int]:
        return self.first, self.second, self.to_mei

    def seen(self) -> str:
        fates = " · ".join(self.world.agent(one) for one in self.replies)
        return f"{self.world.board()} · {fates}"

    async def end(self) -> None:
        await self.is_connected()
        if self.world.victim.generation > 1:
            self.world.write(LINA, "again")
            self.world.write(MEI, "again")
            await self.world.until(lambda: self.world.received("again") == 2, "they wrote again")
        await self.world.until(self._are_settled, "the replies", within_s=HOURS_S, every_s=20)
        self.check_phones()
        assert self.world.board() == "connected"

    def _are_settled(self) -> bool:
        """An agent decides about what holds the queue. What WeChat accepted is nobody's work."""
        for one in self.replies:
            if self.world.agent(one).startswith("unconfirmed"):
                self.doubtful.add(one)
            self.world.decide(one)
        settled = Message.objects.filter(pk__in=self.replies, holds_queue=False)
        return settled.exclude(status__in=["queued", "sending"]).count() == len(self.replies)

    def check_phones(self) -> None:
        """Nothing twice. Nothing is missing but what an agent was told might be."""
        for one, person, text in zip(
            self.replies, (LINA, LINA, MEI), ("first", "second", "to Mei"), strict=True
        ):
            times = self.shown(person, text)
            assert times <= 1, f"{text}: {times} times"
            assert times == 1 or one in self.doubtful, f"{text} never arrived"

    def shown(self, person: str, text: str) -> int:
        bots = [one["bot_id"] for one in self.world.control.bots()]
        return sum(self.world.control.seen(bot, person).count(text) for bot in bots)


class SendingFile(Replying):
    """A file to Li Na, then a text to her, and one to Mei."""

    async def begin(self) -> None:
        self.first = self.world.reply(LINA, "", file=FILE)
        self.second = self.world.reply(LINA, "second")
        self.to_mei = self.world.reply(MEI, "to Mei")

    def shown(self, person: str, text: str) -> int:
        if text != "first":
            return super().shown(person, text)
        bots = [one["bot_id"] for one in self.world.control.bots()]
        bubbles = [one for bot in bots for one in self.world.control.chat(bot, person)["bubbles"]]
        files = [one for one in bubbles if one["from_bot"] and one["kind"] == "file"]
        assert all(self.world.control.media(one["media"]) == FILE for one in files)
        return len(files)


class TypingSign(Story):
    """An agent types to Li Na for some seconds, stops, and answers."""

    async def begin(self) -> None:
        for _ in range(3):
            self._show()
            await passes(3)
        self._stop()
        self.reply = self.world.reply(LINA, "answered")

    @in_database
    def _show(self) -> None:
        conversation = Conversation.objects.get(contact__user_id=LINA)
        typing_sign.show(conversation, self.world.victim.pk)

    @in_database
    def _stop(self) -> None:
        typing_sign.stop(Conversation.objects.get(contact__user_id=LINA))

    def seen(self) -> str:
        return f"{self.world.board()} · {self.world.agent(self.reply)}"

    async def end(self) -> None:
        await self.is_connected()
        await self.world.until(
            lambda: not Typing.objects.exists(), "the sign's end", within_s=3_700
        )
        chat = self.world.control.chat(self.world.victim.bot_id, LINA)
        assert not chat["typing"]
        assert self.world.control.seen(self.world.victim.bot_id, LINA) == ["answered"]


class FetchingFile(Story):
    """Li Na sends a file."""

    async def begin(self) -> None:
        self.world.write(LINA, "", kind="file", content=FILE, file_name="a.txt")
        await self.world.until(Attachment.objects.exists, "the message with the file")

    @in_database
    def seen(self) -> str:
        row = Attachment.objects.get()
        return f"{self.world.board()} · {row.state} {row.error}".strip()

    async def end(self) -> None:
        self._ask_again()
        await self.world.until(
            lambda: Attachment.objects.get().state == "stored", "stored", within_s=HOURS_S
        )
        assert self._content() == FILE

    @in_database
    def _ask_again(self) -> None:
        downloads.ask_again(Attachment.objects.get())

    @in_database
    def _content(self) -> bytes:
        with default_storage.open(Attachment.objects.get().stored_name) as file:
            return bytes(file.read())


class LoggingIn(Story):
    """An operator asks for a code. `scans_first`: it is drawn before the fault and then scanned."""

    scans_first = False
    attempt_id = ""

    async def prepare(self) -> None:
        if self.scans_first:
            self.ask()
            await self.world.until(lambda: self.row().qrcode, "a code")
            await passes(2)

    async def begin(self) -> None:
        if not self.scans_first:
            self.ask()
            return
        handle = self.row().qrcode
        self.world.control.scan(handle, self._phone())
        await passes(3)
        self.world.control.confirm(handle)

    def _phone(self) -> str:
        if not any(one["name"] == "Shop C" for one in self.world.control.accounts()):
            self.world.control.add_account("Shop C")
        return "Shop C"

    @in_database
    def ask(self) -> None:
        team = Team.objects.get(pk=self.world.victim.team_id)
        session = Session.objects.filter(name="Shop C").first()
        self.attempt_id = attempts.start_login(
            user=None, session_name="Shop C", team=team, session=session, force=True
        ).pk

    @in_database
    def row(self) -> LoginAttempt:
        return LoginAttempt.objects.get(pk=self.attempt_id)

    def seen(self) -> str:
        row = self.row()
        return f"{row.status} {row.error_code}".strip()

    async def end(self) -> None:
        for _ in range(2):
            await self._scan_until_final()
            if self.row().status == "confirmed":
                break
            self.ask()
        assert self.seen() == "confirmed"
        await self.world.until(
            lambda: Session.objects.filter(name="Shop C", state="connected").exists(), "connected"
        )

    async def _scan_until_final(self) -> None:
        """Whatever code is on the screen is scanned and confirmed."""
        waited = 0.0
        while self.row().finished_at is None:
            await passes(2)
            waited += 2
            assert waited < 600, self.seen()
            self._scan(self.row().qrcode)

    def _scan(self, handle: str) -> None:
        known = {one["handle"]: one for one in self.world.control.logins(open_only=True)}
        if handle not in known:
            return
        if known[handle]["status"] == "wait":
            self.world.control.scan(handle, self._phone())
        elif known[handle]["status"] == "scaned":
            self.world.control.confirm(handle)


class Scanning(LoggingIn):
    scans_first = True


class Starting(Receiving):
    """The session is resumed, so that its loop begins with notifystart."""

    async def prepare(self) -> None:
        self.world.pause(True)
        await passes(12)

    async def begin(self) -> None:
        self.world.pause(False)
        await passes(6)
        self.world.write(LINA, "before")
        self.world.write(LINA, "during")


class Stopping(Receiving):
    """The session is paused while WeChat cannot be told, and resumed later."""

    async def begin(self) -> None:
        self.world.write(LINA, "before")
        await passes(1)
        self.world.pause(True)
        await passes(20)
        self.world.write(LINA, "during")

    async def end(self) -> None:
        bot = self.world.control.bot(self.world.victim.bot_id)
        assert bot["polls"]["now"] == 0
        self.world.pause(False)
        await super().end()


STORIES: dict[Endpoint, type[Story]] = {
    Endpoint.GET_BOT_QRCODE: LoggingIn,
    Endpoint.GET_QRCODE_STATUS: Scanning,
    Endpoint.GETUPDATES: Receiving,
    Endpoint.SENDMESSAGE: Replying,
    Endpoint.GETCONFIG: TypingSign,
    Endpoint.SENDTYPING: TypingSign,
    Endpoint.GETUPLOADURL: SendingFile,
    Endpoint.CDN_UPLOAD: SendingFile,
    Endpoint.CDN_DOWNLOAD: FetchingFile,
    Endpoint.NOTIFYSTART: Starting,
    Endpoint.NOTIFYSTOP: Stopping,
}
