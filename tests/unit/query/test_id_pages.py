"""Cursors of lists by id: what no list of ours wrote leads nowhere."""

import asyncio
from typing import Any

import pytest

from runwell.model.errors import InvalidInput
from runwell.ports.evaluations import Span
from runwell.query.cursors import Cursor, read_cursor, write_cursor
from runwell.query.id_pages import id_page, places_in


async def nothing(span: Span) -> list[Any]:
    raise AssertionError(f"asked for {span}")


@pytest.mark.parametrize("place", [(), (1,), ("x",), ("exp_\0" + "0" * 31,), ("exp_" + "0" * 32, 1)])
def test_a_forged_place_is_refused(place: tuple[str | int, ...]) -> None:
    with pytest.raises(InvalidInput, match="leads to nothing"):
        asyncio.run(id_page(nothing, 5, write_cursor(Cursor("next", place), "about"), "about"))


@pytest.mark.parametrize("place", [(), ("1",), (-1,), (2**31,), (1, 2), (1, "x")])
def test_a_forged_number_is_refused(place: tuple[str | int, ...]) -> None:
    with pytest.raises(InvalidInput, match="leads to nothing"):
        places_in(read_cursor(write_cursor(Cursor("next", place), "a"), "a"), 1)
