"""Before something is published: what the checks say, and which real questions would get another answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

import msgspec

from bot.conversation.turn import LOCAL, Library
from bot.service.library import with_base
from bot.service.ratings import Voice
from knowledge import check as checks
from knowledge.entry import Entry
from knowledge.load import KnowledgeBase
from knowledge.overlay import with_questions
from knowledge.search.normalise import normalise
from knowledge.search.rank import Result
from knowledge.statutes import Law

# A law that ends within this time is worth looking at now.
SOON = timedelta(days=60)
# So many bad voices, and this part of all, say that an entry is to be looked at again; older ones count no more.
LEAST_BAD, BAD_SHARE = 3, 1 / 3
HEARD = timedelta(days=90)
# Shared pairs of characters from which a question can be drawn to an entry at all.
IN_COMMON = 2


class Verdict(msgspec.Struct, frozen=True):
    """A finding in words for staff; a fatal one keeps the entry from being published."""

    text: str
    fatal: bool


class Moved(msgspec.Struct, frozen=True):
    """A question whose answer would change: what it gets now and what it would get, each as people read it."""

    question: str
    before: str
    after: str


class Effect(msgspec.Struct, frozen=True):
    """What publishing does: questions that get another answer, real ones that keep theirs in new words, how many were tried."""

    moved: list[Moved]
    reworded: list[str]
    tried: int


class Reminder(msgspec.Struct, frozen=True):
    """An entry that must be looked at again, and why."""

    entry: Entry
    why: str


def amended(library: Library, entry_id: str, entry: Entry | None) -> Library:
    """The library as it would be with this text, or without the entry. Some tenths of a second of computing."""
    base = library.base
    entries = {key: one for key, one in base.entries.items() if key != entry_id}
    if entry is not None:
        # What was attached stays attached, whatever the text says.
        old = base.entries.get(entry_id)
        entries[entry_id] = with_questions(entry, old.asked if old else ())
    return with_base(library, KnowledgeBase(entries, base.statutes, base.places, base.lexicon), drafts=True)


def judge(library: Library, entry: Entry, day: date) -> list[Verdict]:
    """What the content's own checks say of a text that would serve from `day` on, faults first."""
    after = amended(library, entry.id, entry)
    found = checks.check(after.base, [entry], day, after.search)
    # For the checks it is the entry as people wrote it; what was attached is looked for all the same.
    return sorted((Verdict(one.chinese, one.fatal) for one in found), key=lambda one: not one.fatal)


def effect(library: Library, entry_id: str, entry: Entry | None, questions: Sequence[str], day: date) -> Effect:
    """What citizens would notice, of the `questions` they asked; wordings of the entry and its neighbours are tried, too."""
    before = with_base(library, library.base, drafts=True) if library.confirmed_only else library
    after = amended(library, entry_id, entry)
    old = library.base.entries.get(entry_id)
    own = [wording for one in (old, entry) if one for wording in one.wordings]
    tried = list(dict.fromkeys([*questions, *own, *_neighbours(library, own, day, entry_id)]))
    # Whoever shares next to nothing with the entry is not moved by it.
    pairs = {pair for wording in own for pair in pairwise(normalise(wording))}
    near = [one for one in tried if len(pairs.intersection(pairwise(normalise(one)))) >= IN_COMMON]
    asked, found, reworded = set(questions), [], []
    for question in near:
        results = [one.search(question, day) for one in (before, after)]
        said = [_said(one, result) for one, result in zip((before, after), results, strict=True)]
        if [_answers(result) for result in results] == [entry_id, entry_id]:
            reworded += [question] if question in asked else []
        elif said[0] != said[1]:
            found.append(Moved(question, *said))
    return Effect(found, reworded, len(tried))


def _neighbours(library: Library, wordings: Sequence[str], day: date, entry_id: str) -> list[str]:
    """The wordings of the entries that these wordings come close to: each has its right answer already."""
    near = {one.entry: None for wording in wordings for one in library.search(wording, day).candidates}
    return [wording for key in near if key != entry_id for wording in library.base.entries[key].wordings]


def _answers(result: Result) -> str:
    """The entry that answers; empty if none does."""
    return result.best.entry if result.verdict == "answer" and result.best else ""


def _said(library: Library, result: Result) -> str:
    if answers := _answers(result):
        return library.base.entries[answers].question
    if result.verdict == "choices":
        return "给出选项：" + "、".join(library.base.entries[one.entry].question for one in result.offered)
    return "答不上来"


def reminders(base: KnowledgeBase, day: date) -> list[Reminder]:
    """Entries whose law changed after they were last checked, or ends soon, or that were not checked for a year."""
    found = [Reminder(entry, why) for entry in base.entries.values() if (why := _why(entry, base, day))]
    return sorted(found, key=lambda one: (one.entry.reviewed, one.entry.id))


def disliked(base: KnowledgeBase, said: Iterable[Voice], since: Mapping[str, datetime]) -> list[Reminder]:
    """Entries that many were not content with after they were last checked, confirmed or published, the worst first."""
    found: dict[str, list[bool]] = {}
    for voice in said:
        entry = base.entries.get(voice.entry)
        if entry is not None and _newer(voice.at, entry, since.get(entry.id)):
            found.setdefault(entry.id, []).append(voice.bad)
    many = {key: some for key, some in found.items() if sum(some) >= LEAST_BAD and sum(some) >= len(some) * BAD_SHARE}
    return [
        Reminder(base.entries[key], f"核对以后{len(some)}人评过，{sum(some)}人不满意或点了“没用”")
        for key, some in sorted(many.items(), key=lambda one: (-sum(one[1]), one[0]))
    ]


def _newer(at: datetime, entry: Entry, published: datetime | None) -> bool:
    """Whether it was said of the text that serves, after a person last looked at that."""
    looked = max(entry.reviewed, entry.confirmed.on) if entry.confirmed else entry.reviewed
    return at.astimezone(LOCAL).date() > looked and (published is None or at > published)


def _why(entry: Entry, base: KnowledgeBase, day: date) -> str:
    names = dict.fromkeys(cite.law for cite in base.cited(entry))
    found = [why for name in names if (law := base.statutes.laws.get(name)) and (why := _changed(law, entry, day))]
    if found:
        return found[0]
    if entry.valid.ends is not None and entry.valid.ends - day <= SOON:
        return f"这一条写明{entry.valid.ends}为止有效"
    if entry.reviewed + checks.REVIEW_EVERY < day:
        return f"上次核对是{entry.reviewed}，满一年了"
    return ""


def _changed(law: Law, entry: Entry, day: date) -> str:
    if law.until is not None and law.until < day:
        return f"《{law.name}》{law.until}起已经失效，这一条已停止回答"
    if law.until is not None and law.until - day <= SOON:
        return f"《{law.name}》{law.until}到期"
    if law.effective > day:
        return f"《{law.name}》{law.effective}才施行，这一条还没有开始回答"
    if entry.reviewed < max(law.effective, law.version):
        return f"《{law.name}》有了新文本（{law.version}公布，{law.effective}施行），核对在它之前"
    return ""
