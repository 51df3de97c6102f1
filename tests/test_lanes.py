"""Lanes: the order of arrival within a key, no waiting between keys, nothing left behind."""

from __future__ import annotations

import asyncio

import pytest

from bot.lanes import Lanes

A, B = ("wechat", "a"), ("wechat", "b")


async def test_one_after_the_other_in_order_and_others_never_wait() -> None:
    lanes, said = Lanes(), list[str]()

    async def walk(name: str) -> None:
        await lanes.enter(A)
        said.append(name)
        await asyncio.sleep(0)
        said.append(name)
        lanes.leave(A)

    walking = asyncio.gather(*map(walk, "123"))
    await asyncio.sleep(0)
    await lanes.enter(B)
    assert said == ["1"]
    lanes.leave(B)
    await walking
    assert "".join(said) == "112233"
    assert len(lanes) == 0


@pytest.mark.parametrize("let_in", [False, True])
async def test_who_gives_up_waiting_stops_nobody(*, let_in: bool) -> None:
    lanes = Lanes()
    await lanes.enter(A)
    second, third = (asyncio.create_task(lanes.enter(A)) for _ in range(2))
    await asyncio.sleep(0)
    if let_in:
        lanes.leave(A)
    second.cancel()
    if not let_in:
        lanes.leave(A)
    with pytest.raises(asyncio.CancelledError):
        await second
    await asyncio.wait_for(third, 5)
    lanes.leave(A)
    assert len(lanes) == 0
