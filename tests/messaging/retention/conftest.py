"""An account of a team that keeps messages for a month."""

from collections.abc import Iterator

import pytest

from sessions_app.models import Session
from sessions_app.team_settings import limits
from sessions_app.team_settings.limits import change_settings
from tests.conftest import Cast
from tests.messaging.builders import make_session


@pytest.fixture
def keeps_a_month(cast: Cast) -> Iterator[None]:
    limits.forget()
    change_settings(user=None, wanted={"message_days": 30})
    yield
    limits.forget()


@pytest.fixture
def old_shop(keeps_a_month: None, cast: Cast) -> Session:
    return make_session("Shop A", team=cast.team)
