"""Every example searched by vectors that never saw it: what the mixer is fitted to and measured on. Maintainers' tool."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np

from knowledge.danger import learn as danger
from knowledge.load import KnowledgeBase
from knowledge.search import learn, meaning
from knowledge.search.examples import FOLDS, Example, fold_of, phrasings
from knowledge.search.index import Concepts, Floats, grams
from knowledge.search.learn import Learner, Lesson, Taught, teach
from knowledge.search.meaning import Vectors, load_vectors, no_vectors
from knowledge.search.mixer import Message, Mixer
from knowledge.search.normalise import normalise, tidy
from knowledge.search.pool import Index
from knowledge.search.tables import work_out

BARE = 8
_SENTENCE = re.compile(r"[。；！？\n]")
SHORTEST, LONGEST = 8, 80
Progress = Callable[[str], None]


class Prepared(msgspec.Struct, frozen=True):
    """An example with its candidates; `gold` marks the right ones."""

    example: Example
    ids: list[str]
    signals: Floats
    gold: Floats
    message: Message
    bare: bool = False  # one of our own wordings


@dataclass(frozen=True)
class Course:
    """All there is to learn from: wordings, phrasings and labelled questions, texts for the teacher; the fold of each.

    What every fold may see has the fold -1.
    """

    base: KnowledgeBase
    examples: Sequence[Example]
    lessons: Sequence[Lesson]
    folds: Sequence[int]
    texts: Sequence[str]
    text_folds: Sequence[int]

    @cached_property
    def taught(self) -> Taught:
        """What the teacher says about all texts; about a minute."""
        concepts = Concepts(self.base.lexicon)
        return teach(self.texts, [grams(normalise(text), concepts) for text in self.texts])

    def learner(self, without: int | None = None) -> Learner:
        """A learner of everything, or of all that is not in one fold."""
        lessons = [lesson for lesson, fold in zip(self.lessons, self.folds, strict=True) if fold != without]
        kept = [place for place, fold in enumerate(self.text_folds) if fold != without]
        taught = Taught([self.taught.texts[place] for place in kept], self.taught.places[kept])
        return Learner(lessons, list(self.base.entries), taught)


def course(base: KnowledgeBase, examples: Sequence[Example]) -> Course:
    """Gather what there is to learn from."""
    concepts = Concepts(base.lexicon)
    numbers = {entry: number for number, entry in enumerate(base.entries)}
    lessons, folds = [], []
    for number, entry in enumerate(base.entries.values()):
        for wording in entry.wordings:
            text = normalise(wording)
            lessons.append(Lesson(grams(text, concepts), (number,)))
            # The barest are held back in turn, for learning what the barest questions look like.
            folds.append(fold_of(f"own-{text}") if len(text) <= BARE else -1)
    texts = [tidy(wording) for entry in base.entries.values() for wording in entry.wordings]
    for entry_id, words in phrasings():
        if entry_id in numbers:
            lessons.append(Lesson(grams(normalise(words), concepts), (numbers[entry_id],)))
            folds.append(-1)
            texts.append(tidy(words))
    text_folds = list(folds)
    for example in examples:
        if example.right is not None:
            texts.append(tidy(example.text))
            text_folds.append(example.fold)
        if example.right:
            right = tuple(sorted(numbers[name] for name in example.right))
            lessons.append(Lesson(grams(normalise(example.text), concepts), right))
            folds.append(example.fold)
    told = [part for entry in base.entries.values() for part in _SENTENCE.split(f"{entry.answer}\n{entry.more}")]
    sentences = [tidy(part) for part in dict.fromkeys(told) if SHORTEST <= len(part) <= LONGEST]
    more = [*sentences, *map(tidy, of_danger())]
    return Course(base, examples, lessons, folds, [*texts, *more], [*text_folds, *[-1] * len(more)])


def of_danger() -> list[str]:
    """What is danger or nearly so: the ear for it goes by the same vectors."""
    return [*(text for text, _ in danger.phrases()), *danger.near_misses()]


def spoken(base: KnowledgeBase) -> frozenset[str]:
    """The terms whose vectors are worth keeping: those of our texts, and of danger."""
    concepts = Concepts(base.lexicon)
    heard = (term for text in of_danger() for term in grams(tidy(text), concepts))
    return frozenset([*work_out(base, no_vectors()).terms, *heard])


def rehearse(whole: Course, mixer: Mixer, day: date, kept: Path, progress: Progress) -> list[Prepared]:
    """Signals of every example and of our barest wordings; vectors of the folds are kept in a folder for next time."""
    ready = []
    for fold in range(FOLDS):
        progress(f"fold {fold + 1} of {FOLDS}")
        index = Index(whole.base, mixer, vectors=_vectors(whole, fold, kept))
        barred = [number for number, one in enumerate(index.entries) if not whole.base.servable(one, day)]
        ready += prepare(index, [example for example in whole.examples if example.fold == fold], barred)
        ready += bare_wordings(index, fold, barred)
    return ready


def rehearse_words(whole: Course, mixer: Mixer, day: date) -> list[Prepared]:
    """The same by words alone, of which nothing is learned beforehand."""
    index = Index(whole.base, mixer, vectors=no_vectors())
    barred = [number for number, one in enumerate(index.entries) if not whole.base.servable(one, day)]
    bare = [one for fold in range(FOLDS) for one in bare_wordings(index, fold, barred)]
    return [*prepare(index, whole.examples, barred), *bare]


def _vectors(whole: Course, fold: int, kept: Path) -> Vectors:
    told = hashlib.sha256(f"{fold} {whole.lessons} {whole.folds} {whole.texts}".encode())
    told.update(Path(str(learn.__file__)).read_bytes())
    path = kept / f"fold{fold}-{told.hexdigest()[:16]}.npz"
    if not path.exists():
        kept.mkdir(parents=True, exist_ok=True)
        meaning.write(whole.learner(fold).learn(), path)
    return load_vectors(path)


def prepare(index: Index, examples: Sequence[Example], barred: Sequence[int]) -> list[Prepared]:
    """Signals of every example; those that match nothing at all are left out."""
    ready = []
    for example in examples:
        text = normalise(example.text)
        pool = index.pool(text, barred)
        if pool is None:
            continue
        ids = [index.entries[number].id for number in pool.numbers]
        gold = np.array([name in (example.right or ()) for name in ids], np.float64)
        message = Message(len(text), pool.domain, settled=pool.settled)
        ready.append(Prepared(example, ids, pool.signals, gold, message))
    return ready


def bare_wordings(index: Index, fold: int, barred: Sequence[int]) -> list[Prepared]:
    """Our own shortest wordings, each searched as if it were not there: what the barest questions look like."""
    ready = []
    for place, text in enumerate(index.tables.wordings):
        if not 0 < len(text) <= BARE or fold_of(f"own-{text}") != fold:
            continue
        pool = index.pool(text, barred, without=place)
        if pool is not None:
            own = Example(f"own-{text}", text, frozenset({index.entries[place // index.tables.width].id}))
            message = Message(len(text), pool.domain)
            ready.append(Prepared(own, [], pool.signals, np.zeros(len(pool.signals)), message, bare=True))
    return ready
