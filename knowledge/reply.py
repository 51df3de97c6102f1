"""What a citizen reads: an entry (or a choice of entries) as text and tappable lines, within a platform's limit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

import msgspec
from msgspec.structs import replace

from knowledge import citation, danger
from knowledge.articles import Article
from knowledge.citation import ARTICLE
from knowledge.entry import KIND_NAMES, Entry
from knowledge.load import KnowledgeBase
from knowledge.places import Locality
from knowledge.search.rank import Result
from knowledge.wording import (
    ALSO,
    ARTICLE_MARK,
    ARTICLE_OFFER,
    CHOOSE,
    CHOOSE_FIRST,
    DISCLAIMER,
    EXAMPLES,
    HUMAN,
    MORE_HINT,
    NOT_OURS,
    UNSURE,
)

# Platform rule: a text message holds at most 2048 bytes of UTF-8.
TEXT_LIMIT = 2048
# Bytes a tappable line costs besides its own words: the link markup around them (tests hold the renderer to it).
TAP_MARKUP = len('<a href="weixin://bizmsgmenu?msgmenucontent=&msgmenuid="></a>')
TAP_MARK = "▸ "
TAP_GAP = "   "
ARTICLE_TAP = "statute"
GOES_ON = "……"


class Tap(msgspec.Struct, frozen=True):
    """A tappable phrase: what it shows, what tapping it says, and an id that tells what is meant."""

    label: str
    send: str
    id: str


class Reply(msgspec.Struct, frozen=True):
    """One message to a citizen: text, rows of taps below it, and what “更多” would show next."""

    text: str
    rows: tuple[tuple[Tap, ...], ...] = ()
    rest: str = ""

    @property
    def size(self) -> int:
        """Bytes of UTF-8 once rendered for WeChat."""
        return len(self.text.encode()) + sum(map(_row_size, self.rows))

    @property
    def visible(self) -> str:
        """The text as it reads on the phone, tappable lines marked with ▸."""
        lines = [TAP_GAP.join(f"{TAP_MARK}{tap.label}" for tap in row) for row in self.rows]
        return "\n".join([self.text, *lines])

    @property
    def taps(self) -> tuple[Tap, ...]:
        """All taps in reading order."""
        return tuple(tap for row in self.rows for tap in row)


def _row_size(row: tuple[Tap, ...]) -> int:
    words = sum(len(f"{TAP_MARK}{tap.label}{tap.send}{tap.id}".encode()) + TAP_MARKUP for tap in row)
    return len("\n") + words + len(TAP_GAP) * (len(row) - 1)


def ask_tap(entry: Entry) -> Tap:
    """A line that asks this entry's question."""
    return Tap(entry.question, entry.question, f"ask:{entry.id}")


def feedback_row(entry: Entry) -> tuple[Tap, ...]:
    """有用 / 没用 / 转人工律师 below an answer."""
    return (
        Tap("有用", "有用", f"good:{entry.id}"),
        Tap("没用", "没用", f"bad:{entry.id}"),
        human_tap(),
    )


def human_tap(why: str = "") -> Tap:
    """A line that asks for a person; `why` tells what made us offer it."""
    return Tap(HUMAN, HUMAN, f"human:{why}" if why else "human")


def footer(entry: Entry, base: KnowledgeBase) -> str:
    """Basis and review lines: law and article, the day of the last check, whether a lawyer confirmed it."""
    checked = (
        f"{entry.confirmed.on} {entry.confirmed.by}确认"
        if entry.confirmed
        else f"{entry.reviewed} 核对，待本县律师确认"
    )
    return f"依据：{base.basis_line(entry)}\n{checked} · {DISCLAIMER}"


def answer(
    entry: Entry,
    base: KnowledgeBase,
    locality: Locality,
    day: date,
    *,
    limit: int = TEXT_LIMIT,
    lead: str = "",
    others: Sequence[Entry] = (),
) -> Reply:
    """The full reply for an entry: answer, basis, as many related questions as fit, feedback taps.

    `others` is what the message asked besides: offered below in any case, the end of the answer makes room.
    """
    beside, head = _numbered(others), f"\n\n{ALSO}" if others else ""
    limit -= Reply(head, beside).size if others else 0
    body = locality.fill(entry.answer.strip())
    rest = locality.fill(entry.more.strip())
    foot, taps = f"\n\n{footer(entry, base)}", (feedback_row(entry),)
    if others and Reply(f"{lead}{body}{foot}\n{MORE_HINT}", taps).size > limit:
        body, tail = cut(body, limit - Reply(f"{lead}{GOES_ON}{foot}\n{MORE_HINT}", taps).size)
        body, rest = body + GOES_ON, "\n".join(filter(None, (tail, rest)))
    reply = fit(Reply(f"{lead}{body}{foot}", taps, rest), limit)
    asked = {other.id for other in others}
    known = (base.in_force(base.entries[other], day) for other in entry.see_also if other in base.entries)
    related = [(ask_tap(other),) for other in known if other and other.id not in asked]
    for row in related[:3]:
        wider = replace(reply, rows=(*reply.rows[:-1], row, reply.rows[-1]))
        if wider.size <= limit:
            reply = wider
    return replace(reply, text=reply.text + head, rows=(*beside, *reply.rows))


def article_row(article: Article, base: KnowledgeBase) -> tuple[Tap, ...]:
    """A line that shows what an article says."""
    name = citation.summarise([citation.parse(article.cite)], base.statutes.short)
    return (Tap(f"看法律条文：{name}", f"看{name}", f"{ARTICLE_TAP}:{article.cite}"),)


def article(shown: Article) -> Reply:
    """What an article says: law text, marked as such, and a person as the way out."""
    head = f"《{shown.law.title}》{shown.number}（{shown.law.effective} 起施行的文本）："
    room = TEXT_LIMIT - Reply(f"{head}\n\n\n……\n{ARTICLE_MARK}\n{MORE_HINT}", ((human_tap("law"),),)).size
    told, rest = cut(shown.text, room)
    text = f"{head}\n{told}{'……' if rest else ''}\n\n{ARTICLE_MARK}"
    return fit(Reply(text, ((human_tap("law"),),), rest))


def choices(
    entries: Iterable[Entry],
    *,
    limit: int = TEXT_LIMIT,
    lead: str = "",
    more: tuple[tuple[Tap, ...], ...] = (),
    several: bool = False,
) -> Reply:
    """Two to four candidate questions to choose from, each one tap, `more` rows, and a person as the way out.

    `several`: they are no readings of one question, but the message asked several.
    """
    said = lead + (CHOOSE_FIRST if several else CHOOSE)
    return fit(Reply(said, (*_numbered(entries), *more, (human_tap(),))), limit)


def _numbered(entries: Iterable[Entry]) -> tuple[tuple[Tap, ...], ...]:
    """A row for each entry's question, to be tapped or named by its number."""
    return tuple(
        (Tap(f"{number}. {entry.question}", entry.question, f"ask:{entry.id}"),)
        for number, entry in enumerate(entries, 1)
    )


def unsure(lead: str = "", more: tuple[tuple[Tap, ...], ...] = ()) -> Reply:
    """Nothing fits well enough: say so, and offer a person; `more` rows show an article of law."""
    return Reply(f"{lead}{UNSURE}\n{ARTICLE_OFFER}" if more else lead + UNSURE, (*more, (human_tap(),)))


def not_ours(base: KnowledgeBase, day: date) -> Reply:
    """The message is about something else: say what we are for, one example of each kind."""
    return Reply(NOT_OURS, tuple(row for kind in KIND_NAMES for row in examples(base, kind, day)[:1]))


def examples(base: KnowledgeBase, kind: str, day: date) -> tuple[tuple[Tap, ...], ...]:
    """Tappable example questions of one kind, a row each."""
    known = ((label, base.entries.get(entry)) for label, entry in EXAMPLES[kind])
    served = ((label, base.in_force(entry, day)) for label, entry in known if entry)
    return tuple((Tap(label, label, f"ask:{entry.id}"),) for label, entry in served if entry)


def for_result(message: str, result: Result, base: KnowledgeBase, locality: Locality, day: date) -> Reply:
    """The whole reply to a first message, given what search made of it."""
    found = danger.danger(message)
    if found:
        return Reply(found.reply, ((human_tap("urgent"),),))
    lead = danger.mention(message)
    if result.verdict == "answer" and result.best:
        others = [base.entries[one.entry] for one in result.others]
        return answer(base.entries[result.best.entry], base, locality, day, lead=lead, others=others)
    if result.verdict == "choices":
        offered = (base.entries[one.entry] for one in result.offered)
        return choices(offered, lead=lead, several=bool(result.others))
    return unsure(lead) if result.about_us else not_ours(base, day)


# A place to cut: after a sentence or a line.
_SENTENCE_END = re.compile(r"[。！？；\n]+[”」』）]*")
_NO_CUT = re.compile(rf"《[^《》]*》|(?:[一-龥]{{2,20}})?{ARTICLE.pattern}|\d+")


def fit(reply: Reply, limit: int = TEXT_LIMIT) -> Reply:
    """Cut the text at a sentence so that the reply keeps within `limit`; the tail goes in front of `rest`."""
    hint = f"\n{MORE_HINT}" if reply.rest else ""
    whole = replace(reply, text=reply.text + hint)
    if whole.size <= limit:
        return whole
    rows = reply.rows
    while rows and Reply("", rows).size > limit // 2:
        rows = rows[1:]
    room = limit - Reply(f"\n{MORE_HINT}", rows).size
    head, tail = cut(reply.text, room)
    rest = "\n".join(filter(None, (tail, reply.rest)))
    return Reply(f"{head}\n{MORE_HINT}", rows, rest)


def cut(text: str, room: int) -> tuple[str, str]:
    """Split so that the head has at most `room` bytes: after a sentence if one ends late enough, else between words.

    Never inside a character, a citation or a number.
    """
    reach = len(text.encode()[: max(room, 4)].decode(errors="ignore"))
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, reach)]
    at = ends[-1] if ends and ends[-1] >= reach // 3 else reach
    if at == reach and not (ends and ends[-1] == reach):
        for match in _NO_CUT.finditer(text):
            if match.start() < at < match.end() and match.start() > 0:
                at = match.start()
                break
    return text[:at].rstrip(), text[at:].lstrip()
