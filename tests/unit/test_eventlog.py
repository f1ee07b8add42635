"""log.txt: one event, one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.runtime.state.eventlog import write_event
from udock_lab.runtime.state.home import Home


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("log"))
    home.create()
    return home


def last_line(home: Home) -> bytes:
    return Path(home.log).read_bytes().splitlines()[-1]


def test_event_has_time_name_and_pairs(store: Home) -> None:
    write_event(store, "RUN", id="c1", pid=7, command="/bin/sh -c 'exit 1'")
    assert re.fullmatch(
        rb"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\] RUN id=c1 pid=7 command=\"/bin/sh -c 'exit 1'\"", last_line(store)
    )


@given(value=st.text(st.characters(codec=None), max_size=40))
def test_any_value_stays_one_ascii_line(store: Home, value: str) -> None:
    before = Path(store.log).read_bytes().count(b"\n") if Path(store.log).exists() else 0
    write_event(store, "RUN", command=value)
    data = Path(store.log).read_bytes()
    assert data.count(b"\n") == before + 1
    data[-200:].decode("ascii")


def test_empty_value_is_quoted(store: Home) -> None:
    write_event(store, "RUN", command="")
    assert last_line(store).endswith(b'command=""')


def test_quotes_in_a_value_cannot_forge_another_pair(store: Home) -> None:
    write_event(store, "RUN", command='x" id="c9')
    assert rb'command="x\" id=\"c9"' in last_line(store)
