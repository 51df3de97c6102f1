"""The checks that keep the content honest; each finding names the entry and says what to do."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import msgspec
from rapidfuzz import fuzz, process

from knowledge import citation, reply
from knowledge.entry import KIND_NAMES, Entry
from knowledge.load import KnowledgeBase
from knowledge.places import PLACEHOLDER
from knowledge.said import Said
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


class Finding(msgspec.Struct, frozen=True):
    """One fault (or, if not `fatal`, one thing to look at)."""

    source: str
    entry: str
    text: str
    fatal: bool = True
    chinese: str = ""

    def __str__(self) -> str:
        return f"{'' if self.fatal else 'note: '}{self.source}: {self.entry}: {self.text}"


def check(base: KnowledgeBase, entries: list[Entry], day: date, search: Search) -> list[Finding]:
    """Check `entries` one by one and against the whole base; no fatal findings means they may be served."""
    found = [
        Finding(entry.source, entry.id, said.english, fatal, said.chinese)
        for entry in entries
        for rule in _RULES
        for said, fatal in rule(entry, base, day)
    ]
    shared = list(_shared_wordings(base, entries)) + list(_near_duplicates(base, entries))
    return found + shared + list(_strays(base, entries, day, search))


Faults = Iterator[tuple[Said, bool]]


def _shape(entry: Entry, _base: KnowledgeBase, day: date) -> Faults:
    if not entry.id.startswith(f"{entry.category}."):
        yield Said(f"id does not start with its category {entry.category}", f"编号要以“{entry.category}.”开头"), True
    if (entry.kind == "legal") == entry.category.startswith(("petition.", "approval.")):
        yield (
            Said(
                f"category {entry.category} does not belong to kind {entry.kind}",
                f"分类{entry.category}不属于“{KIND_NAMES[entry.kind]}”",
            ),
            True,
        )
    if (entry.kind == "approval") != (entry.approval is not None):
        yield (
            Said(
                "an approval entry has an `approval` block, others have none",
                "审批的条目要填“一次性告知”，其他条目不填",
            ),
            True,
        )
    if len(entry.question) > QUESTION_LIMIT:
        yield (
            Said(
                f"question has {len(entry.question)} characters, at most {QUESTION_LIMIT}",
                f"标准问题有{len(entry.question)}个字，最多{QUESTION_LIMIT}个字",
            ),
            True,
        )
    if len(entry.asks) not in ASKS:
        yield (
            Said(
                f"{len(entry.asks)} asks, needs {ASKS.start} to {ASKS.stop - 1}",
                f"其他问法有{len(entry.asks)}个，要{ASKS.start}到{ASKS.stop - 1}个",
            ),
            True,
        )
    if entry.reviewed + REVIEW_EVERY < day:
        yield (
            Said(
                f"last reviewed {entry.reviewed}: review it again",
                f"上次核对是{entry.reviewed}，满一年了，该再核对一遍",
            ),
            False,
        )
    if entry.reviewed > day:
        yield Said(f"reviewed on {entry.reviewed}, which is still to come", f"核对日期{entry.reviewed}还没到"), True


def _text(entry: Entry, base: KnowledgeBase, day: date) -> Faults:
    if len(entry.answer.strip()) not in ANSWER_LENGTH:
        yield (
            Said(
                f"answer has {len(entry.answer.strip())} characters, needs 120 to 400",
                f"回答有{len(entry.answer.strip())}个字，要120到400个字；放不下的写到“更多”里",
            ),
            True,
        )
    if len(entry.more.strip()) > MORE_LIMIT:
        yield (
            Said(
                f"more has {len(entry.more.strip())} characters, at most {MORE_LIMIT}",
                f"“更多”有{len(entry.more.strip())}个字，最多{MORE_LIMIT}个字",
            ),
            True,
        )
    words = f"{entry.answer}\n{entry.more}"
    for phrase in FORBIDDEN:
        if phrase in words:
            yield Said(f"promises an outcome: {phrase}", f"不能许诺结果：“{phrase}”"), True
    if found := MARKUP.search(words):
        yield Said(f"markup in the text: {found}", f"文字里有手机上显示不出来的符号：{found[0]}"), True
    known = {f"place.{key}" for key in base.places}
    unknown = [key for key in _placeholders(entry) if key not in known]
    if unknown:
        yield Said(f"unknown placeholder {{{unknown[0]}}}", f"不认识的地点{{{unknown[0]}}}，请用地点目录里的名称"), True
    elif all(map(_parsed, entry.citations)):
        yield from _reply_size(entry, base, day)


def _placeholders(entry: Entry) -> list[str]:
    texts = [entry.answer, entry.more, *entry.steps, entry.approval.window if entry.approval else ""]
    named = [key for text in texts for key in PLACEHOLDER.findall(text)]
    return named + [f"place.{where.place}" for where in entry.where if where.place]


def _reply_size(entry: Entry, base: KnowledgeBase, day: date) -> Faults:
    whole = reply.answer(entry, base, base.nowhere, day)
    if DISCLAIMER not in whole.text:
        yield (
            Said(
                "the reply is too long for one message: shorten the answer or move some of it to `more`",
                "一条消息放不下，请把回答写短些，或把一部分移到“更多”里",
            ),
            True,
        )


def _basis(entry: Entry, base: KnowledgeBase, day: date) -> Faults:
    if not entry.citations:
        yield Said("no basis", "没有写依据：每一条都要写清是哪部法律第几条"), True
    when = max(filter(None, (day, entry.valid.starts)))
    for text in entry.basis:
        yield from _citation(text, base, when, need_text=True)
    for item in entry.unverified:
        yield from _citation(item.cite, base, when, need_text=False)
        cite = _parsed(item.cite)
        if cite and (law := base.statutes.laws.get(cite.law)) and law.articles:
            yield (
                Said(
                    f"{item.cite}: the text is registered; open it and cite it under `basis`",
                    f"{item.cite}的条文目录里有，核对以后写到“依据”里",
                ),
                True,
            )
    if entry.citations and not entry.basis:
        yield Said("rests on unverified citations alone", "依据全是待核的，请律师重点看"), False


def _citation(text: str, base: KnowledgeBase, when: date, *, need_text: bool) -> Faults:
    cite = _parsed(text)
    if cite is None:
        yield (
            Said(f"not a citation of an article: {text}", f"“{text}”没写清是第几条，请写成“劳动合同法第三十条”这样"),
            True,
        )
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
            yield Said(f"{label} stands in the text but not in `basis`", f"回答里提到{label}，“依据”里没有"), True
    for title in citation.TITLE.findall(words):
        if title in base.statutes.laws and title not in names:
            yield (
                Said(f"《{title}》 stands in the text but not in `basis`", f"回答里提到《{title}》，“依据”里没有"),
                True,
            )
    for deadline in entry.deadlines:
        if deadline.basis and _article_of(deadline.basis) not in {_article_of(text) for text in entry.citations}:
            yield (
                Said(
                    f"deadline rests on {deadline.basis}, which is not in `basis`",
                    f"期限的依据{deadline.basis}没写在“依据”里",
                ),
                True,
            )


def _article_of(text: str) -> tuple[str, int, int] | None:
    cite = _parsed(text)
    return (cite.law, cite.article, cite.extra) if cite else None


def _links(entry: Entry, base: KnowledgeBase, _day: date) -> Faults:
    for other in entry.see_also:
        if other == entry.id:
            yield Said("see_also names itself", "“相关问题”里写了这一条自己"), True
        elif other not in base.entries:
            yield Said(f"see_also {other} is not written yet", f"相关问题{other}还没有"), False
    if entry.succeeds is not None:
        before = base.entries.get(entry.succeeds)
        if before is None:
            yield Said(f"succeeds {entry.succeeds}, which does not exist", f"接替的条目{entry.succeeds}不存在"), True
        elif before.valid.ends is None or entry.valid.starts != before.valid.ends + timedelta(days=1):
            yield (
                Said(
                    f"does not start on the day after {before.id} ends",
                    f"要从它接替的条目{before.id}“到哪天为止”的第二天起有效",
                ),
                True,
            )


_RULES: tuple[Callable[[Entry, KnowledgeBase, date], Faults], ...] = (_shape, _text, _basis, _mentions, _links)


def _named(base: KnowledgeBase, ids: list[str]) -> str:
    return "、".join(f"“{base.entries[one].question}”" for one in ids)


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
                english = f"“{wording}” stands in {', '.join(others)} too"
                yield Finding(
                    entry.source,
                    entry.id,
                    english,
                    chinese=f"问法“{wording}”在{_named(base, others)}里也有，只能留一处",
                )
            elif owners[_squeeze(wording)].count(entry.id) > 1:
                english = f"“{wording}” stands twice"
                yield Finding(entry.source, entry.id, english, chinese=f"问法“{wording}”写了两遍")


def _near_duplicates(base: KnowledgeBase, entries: list[Entry]) -> Iterator[Finding]:
    questions = {entry.id: entry.question for entry in base.entries.values()}
    for entry in entries:
        near = process.extract(entry.question, questions, scorer=fuzz.ratio, score_cutoff=NEAR_DUPLICATE, limit=3)
        for question, _score, other in near:
            if other != entry.id:
                english = f"question is nearly that of {other}: {question}"
                yield Finding(
                    entry.source, entry.id, english, chinese=f"和已有的“{question}”几乎一样，请改那一条，或换个说法"
                )


def _strays(base: KnowledgeBase, entries: list[Entry], day: date, search: Search) -> Iterator[Finding]:
    """Wordings that the search itself sends to another entry."""
    for entry in entries:
        for wording in (entry.question, *entry.asks):
            best = search(wording, max(filter(None, (day, entry.valid.starts)))).best
            if best is None or best.entry != entry.id:
                found = best.entry if best else "nothing"
                english = f"“{wording}” finds {found} instead: reword or drop it"
                instead = f"会找到{_named(base, [best.entry])}" if best else "什么也找不到"
                yield Finding(entry.source, entry.id, english, chinese=f"问法“{wording}”{instead}，请改写或删掉")
