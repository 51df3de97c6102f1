"""The trees: grown from examples they learn what no weighted sum can say, and add nothing where there are none."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from knowledge.search.grow import TREES, grow
from knowledge.search.mixer import RAREST, load_mixer, odds
from knowledge.search.trees import Trees, featured


def pools(count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Pools of four candidates with two signals; the right one is where exactly one of both is high."""
    chance = np.random.default_rng(1)
    signals = [chance.random((4, 2)) for _ in range(count)]
    high = np.concatenate(signals) > 0.5
    return signals, (high[:, 0] != high[:, 1]).astype(float)


def test_trees_learn_what_a_sum_cannot_say() -> None:
    signals, right = pools(600)
    trees = grow(signals, right, np.zeros(len(right)))
    fresh, wanted = pools(700)
    said = np.concatenate([trees(rows) for rows in fresh[600:]]) > 0
    assert (said == (wanted[2400:] > 0)).mean() > 0.95


def test_the_same_examples_grow_the_same_trees() -> None:
    signals, right = pools(50)
    assert grow(signals, right, np.zeros(len(right))) == grow(signals, right, np.zeros(len(right)))


def test_trees_are_read_as_they_were_written() -> None:
    signals, right = pools(50)
    trees = grow(signals, right, np.zeros(len(right)))
    again = msgspec.json.decode(msgspec.json.encode(trees), type=Trees)
    assert (again(signals[0]) == trees(signals[0])).all()
    assert len(trees.leaves) == TREES


def test_a_tree_is_asked_level_by_level() -> None:
    # Above 1 in the first signal? Then: behind the best in the second by more than 0.5?
    trees = Trees(features=(0, 3), cuts=(1.0, -0.5), leaves=((1.0, 2.0, 3.0, 4.0),))
    signals = np.array([[2.0, 1.0], [2.0, 0.0], [0.0, 0.4], [0.0, 1.0]])
    assert featured(signals)[:, 3].tolist() == [0.0, -1.0, -0.6, 0.0]
    assert trees(signals).tolist() == [4.0, 3.0, 1.0, 2.0]


def test_no_trees_add_nothing() -> None:
    assert Trees()(np.ones((3, 2))).tolist() == [0.0, 0.0, 0.0]


def test_odds_follow_the_sums_and_keep_within_bounds() -> None:
    assert odds([0.0, 0.0]) == pytest.approx([0.0, 0.0])
    most = np.log((1 - RAREST) / RAREST)
    assert odds([50.0, 0.0]) == pytest.approx([most, -most])
    assert odds([3.0]) == pytest.approx([most])


def test_the_shipped_mixer_has_trees() -> None:
    mixer = load_mixer()
    assert len(mixer.trees.leaves) == TREES
    assert max(mixer.trees.features) < 2 * len(mixer.weights)
