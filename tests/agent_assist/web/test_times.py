"""A time that is asked for is one, or the asker is told."""

from typing import Any

import pytest
from litestar.testing import TestClient

HEADERS = {"authorization": "Bearer correct-horse"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/customers/k", "at"),
        ("/v1/tasks", "due_before"),
        ("/v1/search", "since"),
        ("/v1/search", "until"),
        ("/v1/routing/accuracy", "since"),
        ("/v1/routing/accuracy", "until"),
        ("/v1/trials/t", "at"),
    ],
)
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("2026-03-01T11:00:00", "with its offset from UTC"),
        ("0001-01-01T00:00:00+08:00", "in a year from 1800 to 2299"),
        ("9999-12-31T23:59:59-08:00", "in a year from 1800 to 2299"),
    ],
)
def test_a_time_that_no_zone_has_is_told_and_is_no_fault_of_ours(
    site: Any, path: str, name: str, given: str, told: str
) -> None:
    with TestClient(site.app, base_url="http://127.0.0.1") as client:
        answer = client.get(path, params={name: given}, headers=HEADERS)
    assert answer.status_code == 400
    assert f"expected {name} {told}, got {given}" in answer.json()["detail"]
