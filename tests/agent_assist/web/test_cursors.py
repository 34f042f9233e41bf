"""Pages of a list: what comes back is what went out, and anything else is the other side's fault."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.exceptions import HTTPException
from litestar.testing import TestClient

from agent_assist.customer.events import Known
from agent_assist.store.customers import CustomerStore
from agent_assist.store.histories import Place
from agent_assist.web import cursors

AT = datetime(2026, 3, 1, tzinfo=UTC)
ROOT = {"authorization": "Bearer correct-horse"}


def packed(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@given(
    st.builds(
        Place,
        st.datetimes(timezones=st.just(UTC)),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
        st.just("é/?#&="),
    )
)
def test_a_place_comes_back_as_it_went_out(place: Place) -> None:
    text = cursors.written(place)
    assert cursors.read(text, Place, "before") == place
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text())
def test_nothing_made_up_is_more_than_a_refusal(text: str) -> None:
    with pytest.raises(HTTPException, match="expected before as `next` gave it"):
        cursors.read(text, Place, "before")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/customers/a/timeline", "before"),
        ("/v1/customers/a/risks", "before"),
        ("/v1/data-health/duplicates", "after"),
        ("/v1/data-health/rejected", "after"),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "é",
        "x",
        packed("2026-01-01T00:00:00", "a", "b"),
        packed("2026-01-01T00:00:00", "a", 1),
        packed("0001-01-01T00:00:00+14:00", "a", 1),
        packed("2026-01-01T00:00:00Z", "a", 2**63),
        packed("2026-01-01T00:00:00Z", "a", "\0"),
        packed(2**63, "a", "b"),
    ],
)
def test_a_place_that_no_list_has_is_the_other_sides_fault(site: Any, path: str, name: str, text: str) -> None:
    CustomerStore(site.store.engine).take([Known(event_id="k", customer_id="a", at=AT)], "test", AT)
    with TestClient(site.app, base_url="http://127.0.0.1") as client:
        assert client.get(path, params={name: text}, headers=ROOT).status_code == 400
