"""What is worked out for many at once: the same values, each key asked for once, a bounded memory."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.foreseen import Foreseen

STEPS = st.lists(st.one_of(st.integers(0, 20), st.lists(st.integers(0, 20), max_size=6)), max_size=40)


class Squares:
    """Works out squares and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Sequence[int]] = []

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.asked.append(tuple(numbers))
        return [number * number for number in numbers]


@given(STEPS, st.integers(1, 8))
def test_whatever_was_foreseen_the_values_are_the_same(steps: list[int | list[int]], kept: int) -> None:
    foreseen = Foreseen(Squares(), kept)
    for step in steps:
        if isinstance(step, list):
            foreseen.ahead(step)
        else:
            assert foreseen(step) == step * step


def test_what_was_foreseen_is_worked_out_in_one_go_and_not_again() -> None:
    squares = Squares()
    foreseen = Foreseen(squares)
    foreseen.ahead([1, 2, 2, 3])
    foreseen.ahead([3, 4])
    assert [foreseen(number) for number in (1, 2, 3, 4)] == [1, 4, 9, 16]
    assert squares.asked == [(1, 2, 3), (4,)]


def test_memory_is_bounded() -> None:
    squares = Squares()
    foreseen = Foreseen(squares, kept=10)
    for number in range(100):
        foreseen.ahead([number])
    foreseen(0)
    assert squares.asked[-1] == (0,)
    assert squares.asked.count((0,)) == 2


def test_a_fault_is_told_and_nothing_is_remembered_of_it() -> None:
    def halves(numbers: Sequence[int]) -> list[int]:
        return [100 // number for number in numbers]

    foreseen = Foreseen(halves)
    with pytest.raises(ZeroDivisionError):
        foreseen.ahead([5, 0])
    assert foreseen(5) == 20
    with pytest.raises(ZeroDivisionError):
        foreseen(0)
