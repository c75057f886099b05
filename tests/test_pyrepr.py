"""The reader of dict reprs is right on every literal, and never evaluates anything."""

import ast
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provkg.readers.pyrepr import loads

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_what_repr_writes_is_read_back(value: dict) -> None:
    assert loads(repr(value)) == (value, 0)


@given(st.text(max_size=40))
def test_a_text_is_a_dict_or_a_value_error(text: str) -> None:
    try:
        expected = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        expected = None
    try:
        value, notes = loads(text)
    except ValueError:
        assert not isinstance(expected, dict)
    else:
        assert isinstance(value, dict)
        assert notes or expected is not None or "true" in text or "false" in text or "null" in text or value == {}


@pytest.mark.parametrize(
    "text",
    [
        "{'a': b'c'}", "{'a': u'b'}", "{'a': 'b' 'c'}", "{'a': 1,}", "{'a': 0x10}", "{'a': 1_000}", "{'a': 1.}", "{1: 2, None: 3}", r"{'a': '\a\0\N{BULLET}'}",
        r"{'a': '\U0001F600'}", r"{'a': 'x\/y'}", r"{'a': 'b\n', 't': (1, 2)}", r"{'a': '\b\f\x7f\'\"'}", "{'a': 89566690651012202950}", "{'a': 1e400}", "{'a': (1, (2,))}", "{'a': {1, 2}}", "{'a': 'None True (x) {'}", "{'a': -0.0}",
    ],
)  # fmt: skip
def test_a_literal_means_what_python_says(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = ast.literal_eval(text)
    value = whole["a"] if "'a'" in text else whole
    read = loads(text)[0]
    as_json = {tuple: list, set: sorted, bytes: bytes.decode}
    assert repr(read.get("a", read)) == repr(_listed(as_json.get(type(value), lambda same: same)(value)))


def _listed(value: object) -> object:
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': nan, 'b': -inf}", {"b": float("-inf")}),
        ("{'a': np.float64(1.5), 'b': numpy.int32(4), 'c': np.True_}", {"a": 1.5, "b": 4, "c": True}),
        (
            "{'a': PosixPath('/x y'), 'b': datetime.datetime(2020, 1, 2, 3, 4)}",
            {"a": "/x y", "b": "2020-01-02T03:04:00"},
        ),
        (
            "{'a': array([1, 2]), 'b': <Quantity 3. m>}",
            {"a": {"@repr": "array([1, 2])"}, "b": {"@repr": "<Quantity 3. m>"}},
        ),
    ],
)
def test_what_is_no_literal_is_read_tolerantly_and_counted(text: str, value: dict) -> None:
    read, notes = loads(text)
    assert {key: read[key] for key in value} == value
    assert notes >= 2


@pytest.mark.parametrize(
    "text",
    [
        "{'a': __import__('os').system('touch canary')}",
        "{'a': open('canary', 'w')}",
        "{'a': [open('canary', 'w') for x in '1']}",
        "{'a': eval(\"open('canary','w')\")}",
    ],
)
def test_nothing_is_ever_executed(text: str) -> None:
    assert set(loads(text)[0]["a"]) == {"@repr"}
    assert not Path("canary").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "{'a'",
        "[" * 200,
        "{'a': " * 3000 + "1" + "}" * 3000,
        "{'a': " + "(" * 500 + ")" * 500 + "}",
        "{'a': nan" + " " * 3_000_000 + "}",
    ],
)
def test_what_cannot_be_read_is_a_value_error_and_bounded(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        loads(text)
