"""Figures that differ for the same thing, as a worklist: what is rightly so is settled in `settled.tsv`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import msgspec

from knowledge import citation
from knowledge.entry import Deadline, Entry
from knowledge.load import ContentError

SETTLED = "settled.tsv"
# Stands for every entry: the figure may be said of this subject anywhere.
ANY = "*"
# Words beside which a figure is a rule: the nearest one of the sentence, at most REACH characters away.
SUBJECTS = ("试用期", "医疗期", "停工留薪", "二倍工资", "赔偿金", "年休假", "产假", "失业金", "劳动监察", "工伤认定", "仲裁", "裁决", "起诉", "答辩", "上诉", "再审", "申请执行", "时效", "复议", "听证", "复查", "复核", "滞纳金", "国家赔偿", "不立案", "认定书", "醉驾", "保护令", "法律援助", "欺诈", "胁迫", "重大误解", "冷静期", "无理由", "遗赠", "下落不明", "定金", "保证期间", "租期")  # fmt: skip
_FIGURE = re.compile(r"(?<![\d.月])(?!\d{4}年)(\d+(?:\.\d+)?)(个工作日|日|天|小时|个月|年|%|倍|万元|元)")
_SENTENCE = re.compile(r"[。；！？\n]")
REACH = 12
# Days that work and days that pass are one unit: to confuse them is the commonest contradiction.
_UNITS = {"天": "日", "个工作日": "日"}


class Mention(msgspec.Struct, frozen=True):
    """One figure (`15日`) that one entry gives for one subject (an article, or a word and a unit), and its words."""

    subject: str
    figure: str
    entry: str
    words: str


class Settled(msgspec.Struct, frozen=True):
    """A lawyer's word that these entries (or ANY) rightly give this figure for the subject."""

    subject: str
    figure: str
    entries: frozenset[str]
    why: str

    def covers(self, mention: Mention) -> bool:
        """Whether the mention needs no more reading."""
        same = (mention.subject, mention.figure) == (self.subject, self.figure)
        return same and (ANY in self.entries or mention.entry in self.entries)


def read_settled(content: Path) -> tuple[Settled, ...]:
    """The settled figures of a content folder, none if it has no such file; ContentError for a crooked line."""
    file = content / SETTLED
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return tuple(_settled(line, number) for number, line in enumerate(lines, 1) if line and not line.startswith("#"))


def _settled(line: str, number: int) -> Settled:
    fields = line.split("\t")
    if len(fields) != len(Settled.__struct_fields__) or not all(map(str.strip, fields)):
        raise ContentError(f"{SETTLED}: line {number}: needs subject, figure, entries and reason, with tabs between")
    return Settled(fields[0], fields[1], frozenset(fields[2].split()), fields[3])


def contradictions(entries: Iterable[Entry], settled: Iterable[Settled] = ()) -> list[tuple[str, list[Mention]]]:
    """Subjects with more than one figure of which some are not settled: subject, and all that is not settled."""
    by_figure = {(one.subject, one.figure): one for one in settled}
    found = sorted({mention for entry in entries for mention in mentions(entry)}, key=_order)
    work = []
    for subject, group in groupby(found, key=lambda mention: mention.subject):
        said = list(group)
        open_ = [one for one in said if not _covered(one, by_figure)]
        if open_ and len({one.figure for one in said}) > 1:
            work.append((subject, open_))
    return work


def _order(mention: Mention) -> tuple[str, str, str, str]:
    return mention.subject, mention.figure, mention.entry, mention.words


def _covered(mention: Mention, by_figure: dict[tuple[str, str], Settled]) -> bool:
    one = by_figure.get((mention.subject, mention.figure))
    return one is not None and one.covers(mention)


def stale(entries: Iterable[Entry], settled: Iterable[Settled]) -> list[Settled]:
    """Settled lines that no entry needs any more."""
    said = [mention for entry in entries for mention in mentions(entry)]
    return [one for one in settled if not any(map(one.covers, said))]


def mentions(entry: Entry) -> Iterator[Mention]:
    """Every figure of an entry with its subject: deadlines by their article, sentences by the words beside it."""
    for deadline in entry.deadlines:
        if deadline.basis:
            cite = citation.parse(deadline.basis)
            words = f"{deadline.what}，从{deadline.starts}起"
            yield Mention(f"{cite.law}{cite.label}", _period(deadline), entry.id, words)
    for sentence in _SENTENCE.split(f"{entry.answer}\n{entry.more}"):
        figures = list(_FIGURE.finditer(sentence))
        for subject in SUBJECTS if figures else ():
            near = _nearest(sentence, subject, figures)
            if near:
                yield Mention(f"{subject}·{_UNITS.get(near[2], near[2])}", _days(near[0]), entry.id, sentence.strip())


def _nearest(sentence: str, subject: str, figures: list[re.Match[str]]) -> re.Match[str] | None:
    start = sentence.find(subject)
    end = start + len(subject)
    near = [(max(match.start() - end, start - match.end()), match) for match in figures]
    away, match = min(near, key=lambda pair: pair[0])
    return match if start >= 0 and away <= REACH else None


def _period(deadline: Deadline) -> str:
    within = _days(deadline.within)
    return re.sub(r"(?<=\d)日$", "个工作日", within) if deadline.days == "working" else within


def _days(figure: str) -> str:
    return figure.replace("天", "日")
