"""How many bodies may be open, how large they may be, and how slowly they may come."""

from collections.abc import Iterator

import pytest

from weilink_site.bounds import bodies, limits
from weilink_site.bounds.bodies import OpenBody
from weilink_site.bounds.limits import GIGABYTE, MEGABYTE
from weilink_site.bounds.places import Full, Places

HERE = "address:192.0.2.1"
COUNTS = ("_small", "_large", "_bytes")


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Counts of the test's own, and nothing is left in them: each test closes what it opens."""
    for name in COUNTS:
        monkeypatch.setattr(bodies, name, Places())
    yield
    for name in COUNTS:
        assert getattr(bodies, name).taken == 0


def _is_cut(size: int, *, bytes_per_s: int, stops_at: int = -1, stops_for_s: int = 0) -> bool:
    """Whether a body that comes like this is ended before it is whole. Looked at each second."""
    body, now, received = OpenBody(HERE, 0.0), 0, 0
    try:
        while received < size:
            now += stops_for_s if now == stops_at else 1
            if body.is_too_slow(received, float(now)):
                return True
            received += bytes_per_s
        return False
    finally:
        body.close()


@pytest.mark.parametrize("stops_at", [0, 10, 1_000, 2_000])
def test_a_phone_may_send_100_mb_at_50_kb_a_second_and_lose_its_net_for_a_minute(
    stops_at: int,
) -> None:
    assert not _is_cut(100 * MEGABYTE, bytes_per_s=50_000, stops_at=stops_at, stops_for_s=59)


@pytest.mark.parametrize("size", [10, 1_000, 60_000])
def test_a_form_may_take_a_minute_on_the_slowest_net(size: int) -> None:
    assert not _is_cut(size, bytes_per_s=size // 50 or 1)


@pytest.mark.parametrize("bytes_per_s", [1, 1_000, 10_000])
def test_what_drips_is_cut(bytes_per_s: int) -> None:
    assert _is_cut(100 * MEGABYTE, bytes_per_s=bytes_per_s)


def test_a_body_that_has_come_is_never_too_slow() -> None:
    body = OpenBody(HERE, 0.0)
    body.has_come()
    assert not body.is_too_slow(0, 10_000.0)
    body.close()


def test_small_bodies_of_an_address_end_when_they_have_come() -> None:
    opened = [OpenBody(HERE, 0.0) for _ in range(limits.SMALL_BODIES_EACH)]
    with pytest.raises(Full) as full:
        OpenBody(HERE, 0.0)
    assert full.value.is_caller
    OpenBody("address:192.0.2.2", 0.0).close()
    opened[0].has_come()
    OpenBody(HERE, 0.0).close()
    for one in opened:
        one.close()
        one.close()  # the answer, then the end of the connection


def test_large_bodies_count_for_their_caller_until_they_are_answered() -> None:
    opened = [OpenBody(HERE, 0.0) for _ in range(limits.BODIES_EACH + 2)]
    for one in opened[:-2]:
        one.grow("token:a", MEGABYTE)
        one.has_come()
    with pytest.raises(Full) as full:
        opened[-1].grow("token:a", MEGABYTE)
    assert full.value.is_caller
    opened[-1].grow("token:b", MEGABYTE)
    opened[0].close()
    opened[-2].grow("token:a", MEGABYTE)
    for one in opened:
        one.close()


def test_ten_files_of_100_mb_are_room_enough_for_one_and_40_for_all() -> None:
    opened = [OpenBody(HERE, 0.0) for _ in range(42)]
    for one in opened[:10]:
        one.grow("login:a", 100 * MEGABYTE)
    with pytest.raises(Full) as full:
        opened[10].grow("login:a", 100 * MEGABYTE)
    assert full.value.is_caller
    for number, one in enumerate(opened[10:40]):
        one.grow(f"login:{number}", 100 * MEGABYTE)
    with pytest.raises(Full) as full:
        opened[40].grow("login:c", 100 * MEGABYTE)
    assert not full.value.is_caller
    for one in opened:
        one.close()


def test_where_the_team_allows_larger_files_there_is_room_for_several() -> None:
    opened = [OpenBody(HERE, 0.0) for _ in range(9)]
    size = 4 * GIGABYTE
    for number, one in enumerate(opened[:8]):
        one.grow(f"login:{number // 2}", size, largest=size)
    for caller in ("login:0", "login:9"):
        with pytest.raises(Full) as full:
            opened[8].grow(caller, size, largest=size)
        assert full.value.is_caller == (caller == "login:0")
    for one in opened:
        one.close()
