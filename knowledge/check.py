"""The checks that keep the content honest; each finding names the entry and says what to do."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from rapidfuzz import fuzz, process

from knowledge import citation, reply
from knowledge.entry import Entry
from knowledge.load import KnowledgeBase
from knowledge.places import PLACEHOLDER
from knowledge.search.rank import Search
from knowledge.wording import DISCLAIMER

ANSWER_LENGTH = range(120, 401)
MORE_LIMIT = 400
QUESTION_LIMIT = 30
ASKS = range(6, 16)
NEAR_DUPLICATE = 90.0
REVIEW_EVERY = timedelta(days=365)
FORBIDDEN = ("一定能", "保证胜诉", "必胜", "肯定赢", "包赢", "稳赢", "百分之百", "一定会赢", "包过")
MARKUP = re.compile(r"\*\*|^#|`|\]\(|<[a-z/]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault (or, if not `fatal`, one thing to look at)."""

    source: str
    entry: str
    text: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{'' if self.fatal else 'note: '}{self.source}: {self.entry}: {self.text}"


def check(base: KnowledgeBase, entries: list[Entry], day: date, search: Search) -> list[Finding]:
    """Check `entries` one by one and against the whole base; no fatal findings means they may be served."""
    found = [
        Finding(entry.source, entry.id, text, fatal)
        for entry in entries
        for rule in _RULES
        for text, fatal in rule(entry, base, day)
    ]
    shared = list(_shared_wordings(base, entries)) + list(_near_duplicates(base, entries))
    return found + shared + list(_strays(entries, day, search))


Faults = Iterator[tuple[str, bool]]


def _shape(entry: Entry, _base: KnowledgeBase, day: date) -> Faults:
    if not entry.id.startswith(f"{entry.category}."):
        yield f"id does not start with its category {entry.category}", True
    if (entry.kind == "legal") == entry.category.startswith(("petition.", "approval.")):
        yield f"category {entry.category} does not belong to kind {entry.kind}", True
    if (entry.kind == "approval") != (entry.approval is not None):
        yield "an approval entry has an `approval` block, others have none", True
    if len(entry.question) > QUESTION_LIMIT:
        yield f"question has {len(entry.question)} characters, at most {QUESTION_LIMIT}", True
    if len(entry.asks) not in ASKS:
        yield f"{len(entry.asks)} asks, needs {ASKS.start} to {ASKS.stop - 1}", True
    if entry.reviewed + REVIEW_EVERY < day:
        yield f"last reviewed {entry.reviewed}: review it again", False
    if entry.reviewed > day:
        yield f"reviewed on {entry.reviewed}, which is still to come", True


def _text(entry: Entry, base: KnowledgeBase, day: date) -> Faults:
    if len(entry.answer.strip()) not in ANSWER_LENGTH:
        yield f"answer has {len(entry.answer.strip())} characters, needs 120 to 400", True
    if len(entry.more.strip()) > MORE_LIMIT:
        yield f"more has {len(entry.more.strip())} characters, at most {MORE_LIMIT}", True
    words = f"{entry.answer}\n{entry.more}"
    for phrase in FORBIDDEN:
        if phrase in words:
            yield f"promises an outcome: {phrase}", True
    if MARKUP.search(words):
        yield f"markup in the text: {MARKUP.search(words)}", True
    known = {f"place.{key}" for key in base.places}
    unknown = [key for key in _placeholders(entry) if key not in known]
    if unknown:
        yield f"unknown placeholder {{{unknown[0]}}}", True
    elif all(map(_parsed, entry.citations)):
        yield from _reply_size(entry, base, day)


def _placeholders(entry: Entry) -> list[str]:
    texts = [entry.answer, entry.more, *entry.steps, entry.approval.window if entry.approval else ""]
    named = [key for text in texts for key in PLACEHOLDER.findall(text)]
    return named + [f"place.{where.place}" for where in entry.where if where.place]


def _reply_size(entry: Entry, base: KnowledgeBase, day: date) -> Faults:
    whole = reply.answer(entry, base, base.nowhere, day)
    if DISCLAIMER not in whole.text:
        yield "the reply is too long for one message: shorten the answer or move some of it to `more`", True


def _basis(entry: Entry, base: KnowledgeBase, day: date) -> Faults:
    if not entry.citations:
        yield "no basis", True
    when = max(filter(None, (day, entry.valid.starts)))
    for text in entry.basis:
        yield from _citation(text, base, when, need_text=True)
    for item in entry.unverified:
        yield from _citation(item.cite, base, when, need_text=False)
        cite = _parsed(item.cite)
        if cite and (law := base.statutes.laws.get(cite.law)) and law.articles:
            yield f"{item.cite}: the text is registered; open it and cite it under `basis`", True
    if entry.citations and not entry.basis:
        yield "rests on unverified citations alone", False


def _citation(text: str, base: KnowledgeBase, when: date, *, need_text: bool) -> Faults:
    cite = _parsed(text)
    if cite is None:
        yield f"not a citation of an article: {text}", True
    elif fault := base.statutes.fault(cite, when, need_text=need_text):
        yield fault, True


def _parsed(text: str) -> citation.Citation | None:
    try:
        return citation.parse(text)
    except ValueError:
        return None


def _mentions(entry: Entry, base: KnowledgeBase, _day: date) -> Faults:
    cited = [cite for cite in map(_parsed, entry.citations) if cite]
    labels = {cite.label for cite in cited}
    names = {name for cite in cited for name in (cite.law, base.statutes.short.get(cite.law, cite.law))}
    words = f"{entry.answer}\n{entry.more}"
    for label in citation.ARTICLE.findall(words):
        if citation.parse(f"法{label}").label not in labels:
            yield f"{label} stands in the text but not in `basis`", True
    for title in citation.TITLE.findall(words):
        if title in base.statutes.laws and title not in names:
            yield f"《{title}》 stands in the text but not in `basis`", True
    for deadline in entry.deadlines:
        if deadline.basis and _article_of(deadline.basis) not in {_article_of(text) for text in entry.citations}:
            yield f"deadline rests on {deadline.basis}, which is not in `basis`", True


def _article_of(text: str) -> tuple[str, int, int] | None:
    cite = _parsed(text)
    return (cite.law, cite.article, cite.extra) if cite else None


def _links(entry: Entry, base: KnowledgeBase, _day: date) -> Faults:
    for other in entry.see_also:
        if other == entry.id:
            yield "see_also names itself", True
        elif other not in base.entries:
            yield f"see_also {other} is not written yet", False


_RULES: tuple[Callable[[Entry, KnowledgeBase, date], Faults], ...] = (_shape, _text, _basis, _mentions, _links)


def _squeeze(wording: str) -> str:
    return re.sub(r"\W+", "", wording).lower()


def _shared_wordings(base: KnowledgeBase, entries: list[Entry]) -> Iterator[Finding]:
    owners: dict[str, list[str]] = defaultdict(list)
    for entry in base.entries.values():
        for wording in entry.wordings:
            owners[_squeeze(wording)].append(entry.id)
    for entry in entries:
        for wording in entry.wordings:
            others = sorted(set(owners[_squeeze(wording)]) - {entry.id})
            if others:
                yield Finding(entry.source, entry.id, f"“{wording}” stands in {', '.join(others)} too")
            elif owners[_squeeze(wording)].count(entry.id) > 1:
                yield Finding(entry.source, entry.id, f"“{wording}” stands twice")


def _near_duplicates(base: KnowledgeBase, entries: list[Entry]) -> Iterator[Finding]:
    questions = {entry.id: entry.question for entry in base.entries.values()}
    for entry in entries:
        near = process.extract(entry.question, questions, scorer=fuzz.ratio, score_cutoff=NEAR_DUPLICATE, limit=3)
        for question, _score, other in near:
            if other != entry.id:
                yield Finding(entry.source, entry.id, f"question is nearly that of {other}: {question}")


def _strays(entries: list[Entry], day: date, search: Search) -> Iterator[Finding]:
    """Wordings that the search itself sends to another entry."""
    for entry in entries:
        for wording in entry.wordings:
            best = search(wording, max(filter(None, (day, entry.valid.starts)))).best
            if best is None or best.entry != entry.id:
                found = best.entry if best else "nothing"
                yield Finding(entry.source, entry.id, f"“{wording}” finds {found} instead: reword or drop it")
