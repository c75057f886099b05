"""A shelf is a mapping, however little of it is in memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import DecodeError

from provkg.shelves import Draft, Shelf, pack, unpack

Key = tuple[str, int]
KEYS = st.tuples(st.sampled_from(("", "a", "\udce9", "\ud800\udcfa", "\0", "\u2028", "x" * 500)), st.integers(0, 3))
DOES = st.tuples(st.sampled_from(("put", "discard", "get")), KEYS, st.text(st.characters(), max_size=3))


@given(most=st.sampled_from((0, 1_000, Shelf.most)), does=st.lists(DOES, max_size=40))
def test_a_shelf_is_what_a_dict_is(most: int, does: list[tuple[str, Key, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shelf, "most", most)
        shelf: Shelf[Key, str] = Shelf(tuple[str, int], str)
        known: dict[Key, str] = {}
        for what, key, value in does:
            if what == "put":
                shelf.put(key, value, len(key[0]))
                known[key] = value
            elif what == "discard":
                shelf.discard(key)
                known.pop(key, None)
            assert (shelf.get(key), key in shelf) == (known.get(key), key in known)
            assert len(shelf.recent) * 300 <= most or most == Shelf.most
        assert dict(shelf.items()) == known
        again: Shelf[Key, str] = Shelf(tuple[str, int], str)
        for item in shelf.items():
            again.take(pack(item))
        assert dict(again.items()) == known


@given(before=st.lists(DOES, max_size=10), does=st.lists(DOES, max_size=20))
def test_a_draft_is_forgotten(before: list[tuple[str, Key, str]], does: list[tuple[str, Key, str]]) -> None:
    shelf: Shelf[Key, str] = Shelf(tuple[str, int], str)
    for _, key, value in before:
        shelf.put(key, value)
    known = dict(shelf.items())
    draft = Draft(shelf)
    now = dict(known)
    for what, key, value in does:
        if what == "put":
            draft.put(key, value)
            now[key] = value
        elif what == "discard":
            draft.discard(key)
            now.pop(key, None)
        assert (draft.get(key), key in draft) == (now.get(key), key in now)
    assert dict(shelf.items()) == known


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'"\\udce9', b"null"])
def test_what_is_not_of_the_type_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        unpack(data, str)
