"""The main flow: a question is answered, or candidates are offered, or we say that we do not know."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from bot.conversation import context, wording
from bot.conversation.turn import Matter, Outcome, Record, Turn
from knowledge import reply as replies
from knowledge.danger import mention
from knowledge.entry import Entry
from knowledge.reply import Reply, Tap, human_tap
from knowledge.search.rank import Candidate, Result

# Wordless or one-word noise is no consultation, even if it shares a character with an entry.
SUBSTANTIVE = 4
MISSES_BEFORE_PERSON = 2


def ask(turn: Turn) -> Outcome:
    """Search for the message and say what was found."""
    found = context.look_up(turn)
    turn, result = replace(turn, text=found.text), found.result
    if result.verdict == "answer" and result.best:
        return answer(turn, turn.library.base.entries[result.best.entry], result, others=_ids(result.others))
    if result.verdict == "choices":
        return offer(turn, result)
    return defer(turn, result)


def answer(
    turn: Turn, entry: Entry, result: Result | None = None, *, follows: bool = False, others: tuple[str, ...] = ()
) -> Outcome:
    """Say an entry, and offer the `others`. Without a result it was chosen by the citizen, who knows best."""
    lead = mention(turn.text)
    said = turn.library.answer(entry, turn.day, lead, [turn.library.base.entries[other] for other in others])
    # Remember the citizen's own words, not those of a tapped line: a follow-up leans on them.
    question = result.question or turn.text if result else entry.question
    state = replace(
        turn.state,
        entry=entry.id,
        question=question[:60],
        options=others,
        others=others,
        rest=said.rest,
        misses=0,
        touched=turn.now.timestamp(),
    )
    record = Record(
        flow="ask" if result else "choose",
        matter=Matter(entry.kind, entry.category, "answered", follows=follows, urgent=bool(lead)),
        verdict="answer",
        entry=entry.id,
        version=entry.version,
        confidence=result.confidence if result else 1.0,
    )
    return Outcome(said, record, state)


def choose(turn: Turn, entry_id: str) -> Outcome:
    """A candidate or related question was tapped, or its number sent."""
    entry = _served(turn, entry_id)
    if entry is None:
        return Outcome(Reply(wording.GONE), Record("choose"), turn.state)
    # What was asked besides is still open.
    asked = turn.state.others if context.is_fresh(turn) else ()
    return answer(turn, entry, others=tuple(other for other in asked if other != entry_id and _served(turn, other)))


def _served(turn: Turn, entry_id: str) -> Entry | None:
    base, confirmed_only = turn.library.base, turn.library.confirmed_only
    entry = base.entries.get(entry_id)
    return base.in_force(entry, turn.day, confirmed_only=confirmed_only) if entry else None


def _ids(candidates: Iterable[Candidate]) -> tuple[str, ...]:
    return tuple(one.entry for one in candidates)


def offer(turn: Turn, result: Result, flow: str = "ask", before: str = "") -> Outcome:
    """Two to four candidate questions, each one tap; `before` is said first."""
    entries = [turn.library.base.entries[candidate.entry] for candidate in result.offered]
    lead = mention(turn.text)
    more = () if lead else _article_rows(turn)
    said = replies.choices(entries, lead=lead + before, more=more, several=bool(result.others))
    state = replace(
        turn.state,
        entry="",
        question=turn.text[:60],
        options=_ids(result.offered),
        others=_ids(result.others),
        rest=said.rest,
        touched=turn.now.timestamp(),
    )
    matter = Matter(outcome="offered", urgent=bool(lead))
    return Outcome(said, Record(flow, matter, "choices", confidence=result.confidence), state)


def defer(turn: Turn, result: Result) -> Outcome:
    """No good match: say so and offer a person; for what is not ours, say what is."""
    misses = turn.state.misses + 1
    state = replace(turn.state, misses=misses, rest="", touched=turn.now.timestamp())
    lead = mention(turn.text)
    if not lead and (not result.about_us or len(turn.text) < SUBSTANTIVE):
        said = replies.not_ours(turn.library.base, turn.day)
        return Outcome(said, Record("not_ours", None, "none", confidence=result.confidence), state)
    # What comes next may say the same in other words.
    state = replace(state, options=(), others=(), question=turn.text[:60])
    said = replies.unsure(lead, () if lead else _article_rows(turn))
    if misses >= MISSES_BEFORE_PERSON:
        said = Reply(lead + turn.say(wording.UNSURE_AGAIN), ((human_tap("miss"),),))
    record = Record("ask", Matter(urgent=bool(lead)), "none", confidence=result.confidence)
    return Outcome(said, record, state)


def _article_rows(turn: Turn) -> tuple[tuple[Tap, ...], ...]:
    """The offer to show an article of law, if one plainly fits where no entry does."""
    # What was asked before has had its chance.
    found = turn.library.article(turn.inbound.text, turn.day)
    return (replies.article_row(found, turn.library.base),) if found else ()


def article(turn: Turn, cite: str) -> Outcome:
    """An offered article was tapped."""
    found = turn.library.articles.get(cite) if turn.library.articles else None
    if found is None:
        return Outcome(Reply(wording.GONE), Record("statute"), turn.state)
    said = replies.article(found)
    state = replace(turn.state, rest=said.rest, touched=turn.now.timestamp())
    return Outcome(said, Record("statute", Matter(outcome="offered", follows=True), "choices"), state)
