"""Fair shares: computed alike by every worker, adding up, and with as few moves as possible."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.sessions.shares import fair_shares

HELD = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4), st.integers(0, 40), min_size=1, max_size=6
)


@given(held=HELD, free=st.integers(0, 40))
def test_shares_add_up_and_differ_by_one_at_most(held: dict[str, int], free: int) -> None:
    total = sum(held.values()) + free
    shares = fair_shares(total, held)
    assert shares.keys() == held.keys()
    assert sum(shares.values()) == total
    assert max(shares.values()) - min(shares.values()) <= 1


@given(held=HELD)
def test_what_is_balanced_stays_where_it_is(held: dict[str, int]) -> None:
    balanced = fair_shares(sum(held.values()), held)
    assert fair_shares(sum(held.values()), balanced) == balanced


@given(held=HELD)
def test_no_sharing_out_needs_fewer_moves(held: dict[str, int]) -> None:
    """Each worker keeps what it has up to the largest share that balance allows it."""
    total, count = sum(held.values()), len(held)
    shares = fair_shares(total, held)
    moves = sum(max(0, held[one] - shares[one]) for one in held)
    least, larger = divmod(total, count)
    beyond = sorted((max(0, one - least) for one in held.values()), reverse=True)
    assert moves == sum(beyond) - sum(1 for one in beyond[:larger] if one)


def test_one_worker_alone_takes_all_and_nobody_takes_nothing() -> None:
    assert fair_shares(7, {"a": 0}) == {"a": 7}
    assert fair_shares(7, {}) == {}


class House:
    """Workers that look one after the other and move sessions as the real ones do."""

    def __init__(self, sessions: int, workers: list[str]) -> None:
        self.sessions = sessions
        self.held = dict.fromkeys(workers, 0)
        self.moves = 0

    @property
    def free(self) -> int:
        return self.sessions - sum(self.held.values())

    def look(self, worker: str) -> None:
        share = fair_shares(self.sessions, self.held)[worker]
        taken = min(self.free, max(0, share - self.held[worker]))
        given_up = max(0, self.held[worker] - share)
        self.held[worker] += taken - given_up
        self.moves += taken

    def settle(self, order: list[int]) -> None:
        """Three rounds of looks: they give up, they take, and who kept one too many gives it up."""
        for _ in range(3):
            names = sorted(self.held)
            for place in [*order, *range(len(names))]:
                self.look(names[place % len(names)])


@settings(max_examples=500)
@given(
    sessions=st.integers(0, 60),
    order=st.lists(st.integers(0, 5), max_size=12),
    story=st.lists(
        st.one_of(
            st.tuples(st.just("come"), st.integers(0, 5)),
            st.tuples(st.just("go"), st.integers(0, 5)),
            st.tuples(st.just("sessions"), st.integers(0, 60)),
        ),
        max_size=8,
    ),
)
def test_after_any_change_three_rounds_of_looks_share_fairly_and_then_nothing_moves(
    sessions: int, order: list[int], story: list[tuple[str, int]]
) -> None:
    house = House(sessions, ["w0"])
    for kind, number in story:
        name = f"w{number}"
        if kind == "come":
            house.held.setdefault(name, 0)
        elif kind == "go" and len(house.held) > 1:
            house.held.pop(name, None)
        elif kind == "sessions":
            house.sessions = max(number, sum(house.held.values()))
        house.settle(order)
        assert house.free == 0
        assert max(house.held.values()) - min(house.held.values()) <= 1
        moves = house.moves
        house.settle(order)
        assert house.moves == moves
