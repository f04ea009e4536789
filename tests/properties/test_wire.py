"""Parsing what WeChat sends: no message is lost by its neighbours, a break, or its own defects."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.ilink.wire import dedupe_keys, parse_broken, parse_updates

pytestmark = pytest.mark.properties

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=10,
)
FIELDS = (
    "message_id", "from_user_id", "to_user_id", "client_id", "create_time_ms", "delete_time_ms",
    "message_type", "message_state", "item_list", "context_token", "seq", "group_id",
)  # fmt: skip
messages = st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6)
good_messages = st.fixed_dictionaries(
    {
        "message_id": st.integers(1, 2**63 - 1),
        "from_user_id": st.just("lina@im.wechat"),
        "context_token": st.text(min_size=1, max_size=10),
        "item_list": st.lists(
            st.fixed_dictionaries(
                {
                    "type": st.just(1),
                    "text_item": st.fixed_dictionaries({"text": st.text(max_size=20)}),
                }
            ),
            max_size=2,
        ),
    }
)


@given(st.lists(messages | json_values, max_size=6), json_values)
def test_every_element_is_a_message_or_kept_as_it_is(elements: list[Any], cursor: Any) -> None:
    body = json.dumps({"ret": 0, "msgs": elements, "get_updates_buf": cursor}).encode()
    found = parse_updates(body)
    objects = [one for one in elements if isinstance(one, dict)]
    assert len(found.messages) == len(objects)
    assert len(found.strays) == len(elements) - len(objects)
    assert len(dedupe_keys(found.messages, "c1")) == len(found.messages)


@given(st.lists(good_messages, max_size=5), st.data())
def test_what_came_before_a_break_is_read_as_if_there_were_none(
    sent: list[dict[str, Any]], data: st.DataObject
) -> None:
    body = json.dumps({"ret": 0, "msgs": sent, "get_updates_buf": "c2"}).encode()
    whole = parse_updates(body).messages
    cut = data.draw(st.integers(0, len(body)), label="cut after")
    found = parse_broken(body[:cut], "cut off", length=len(body))
    assert found.messages == whole[: len(found.messages)]
    assert found.cursor is None  # the next poll asks for the rest
    if found.missing is not None:
        assert found.missing >= len(whole) - len(found.messages)


@given(st.lists(good_messages, max_size=6, unique_by=lambda one: one["message_id"]), st.text())
def test_a_message_is_known_again_by_its_id_whatever_token_it_comes_with(
    sent: list[dict[str, Any]], token: str
) -> None:
    def keys(listed: list[dict[str, Any]], cursor: str) -> list[str]:
        body = json.dumps({"ret": 0, "msgs": listed}).encode()
        return list(dedupe_keys(parse_updates(body).messages, cursor))

    first = keys(sent, "c1")
    assert len(set(first)) == len(sent)
    assert keys([{**one, "context_token": token} for one in sent], "c7") == first
