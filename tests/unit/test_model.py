"""The values of the model: each survives its journey, is fetched when it is needed, and needs little."""

from __future__ import annotations

import pickle
import subprocess
import sys
from enum import Enum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import cloudpickle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udock_lab import model
from udock_lab.errors import UsageError
from udock_lab.model import ContainerSpec, Limits
from udock_lab.model.jsontext import from_json, to_json
from udock_lab.model.plain import MalformedError, plain, read_stored, revive, stored
from udock_lab.model.value import Value, replace

CLASSES = [one for one in (getattr(model, name) for name in model.__all__) if issubclass(one, Value)]
TEXT = st.text(max_size=6) | st.binary(max_size=6).map(lambda data: data.decode("utf-8", "surrogateescape"))
FLOATS = st.floats(allow_nan=False)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | TEXT | st.binary(max_size=6)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=4
)
SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT, int: st.integers(), float: FLOATS, bool: st.booleans(), bytes: st.binary(max_size=9),
    type(None): st.none(), object: DATA,
}  # fmt: skip
SPECIAL = {
    **{(Limits, name): st.none() | st.integers(1, 2**63 - 2) for name in ("memory", "cpu", "files")},
    (ContainerSpec, "argv"): st.lists(TEXT, min_size=1, max_size=3).map(tuple),
}


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Whatever may stand in a field of that type."""
    if hint in SIMPLE:
        return SIMPLE[hint]
    if isinstance(hint, UnionType):
        return st.one_of([any_of(one) for one in get_args(hint)])
    if get_origin(hint) is tuple and get_args(hint)[-1] is ...:
        return st.lists(any_of(get_args(hint)[0]), max_size=2).map(tuple)
    if get_origin(hint) is tuple:
        return st.tuples(*map(any_of, get_args(hint)))
    if get_origin(hint) is dict:
        return st.dictionaries(*map(any_of, get_args(hint)), max_size=2)
    return st.sampled_from(hint) if issubclass(hint, Enum) else st.deferred(lambda: made(hint))


def made(cls: type[Value]) -> st.SearchStrategy[Value]:
    """Any value of that class."""
    if cls not in SIMPLE:
        hints = get_type_hints(cls)
        SIMPLE[cls] = st.builds(
            cls,
            **{
                name: any_of(hint) if (cls, name) not in SPECIAL else SPECIAL[cls, name] for name, hint in hints.items()
            },
        )
    return SIMPLE[cls]


@pytest.mark.parametrize("cls", CLASSES)
@settings(max_examples=25)
@given(data=st.data())
def test_every_value_comes_back_as_it_was(cls: type[Value], data: st.DataObject) -> None:
    value = data.draw(made(cls))
    assert revive(cls, from_json(to_json(plain(value)))) == value
    assert read_stored(cls, from_json(to_json(stored(value, 1))), 1) == value
    assert pickle.loads(pickle.dumps(value)) == pickle.loads(cloudpickle.dumps(value)) == value
    assert replace(value) == value
    assert repr(value).startswith(f"{cls.__name__}(")


def test_a_spec_that_nobody_may_ask_for_is_malformed_data() -> None:
    with pytest.raises(MalformedError, match=r"limits: memory must be"):
        revive(ContainerSpec, {"image": "demo", "limits": {"memory": -1}})
    with pytest.raises(MalformedError, match="argv is empty"):
        revive(ContainerSpec, {"image": "demo", "argv": []})
    with pytest.raises(UsageError):
        replace(ContainerSpec(image="demo"), argv=())


def loaded(code: str) -> set[str]:
    """The modules that code brings in."""
    program = f"import sys; before = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_name_fetches_its_family_and_no_other() -> None:
    found = {name for name in loaded("from udock_lab.model import Record") if name.startswith("udock_lab.model.")}
    assert found == {"udock_lab.model.records", "udock_lab.model.value"}
    assert not {name for name in loaded("import udock_lab.model") if name.startswith("udock_lab.model.")}


def test_values_and_their_codec_import_none_of_what_they_replace() -> None:
    found = loaded("import udock_lab.model\nfor n in udock_lab.model.__all__: getattr(udock_lab.model, n)")
    found |= loaded("import udock_lab.model.plain")
    assert not {"dataclasses", "typing", "inspect", "ast", "json", "re", "udock_lab.arguments"} & found


def test_there_is_no_other_name_in_the_model() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = model.Nonsense  # type: ignore[attr-defined]
