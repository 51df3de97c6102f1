"""“那要多久？”, “在哪办”, “带什么材料”: short questions about the entry that was just answered."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from bot.conversation import wording
from bot.conversation.context import FRESH_SECONDS
from bot.conversation.turn import Matter, Outcome, Record, Turn
from knowledge import reply as replies
from knowledge.entry import Entry
from knowledge.reply import Reply, fit

HOTLINES = {"legal": "12348", "petition": "12345", "approval": "12345"}
_DAYS = {"calendar": "", "working": "（工作日）"}


def _how_long(entry: Entry) -> list[str]:
    lines = [f"{d.what}：{d.within}{_unit(d.within, d.days)}，从{d.starts}起算" for d in entry.deadlines]
    if entry.approval:
        lines.append(f"法定办理时限：{entry.approval.statutory_limit}")
        lines.append(f"承诺办理时限：{entry.approval.promised_limit}")
    return lines


def _unit(within: str, days: str) -> str:
    return "" if "工作日" in within else _DAYS[days]


def _where(entry: Entry) -> list[str]:
    lines = []
    for where in entry.where:
        place = f"{{place.{where.place}}}" if where.place else where.office
        lines.append(place if where.hotline is None else f"{place}，电话{where.hotline}")
    if entry.approval:
        lines.append(f"窗口：{entry.approval.window}")
    return lines


def _cost(entry: Entry) -> list[str]:
    return [f"收费：{entry.approval.fee}"] if entry.approval else _sentences(entry, r"费|元|%|收钱|免费")


def _materials(entry: Entry) -> list[str]:
    if not entry.approval:
        return list(entry.materials)
    lines = []
    for material in entry.approval.materials:
        form = "原件" if material.original else ""
        copies = f"复印件{material.copies}份" if material.copies else ""
        facts = "、".join(filter(None, (form, copies, material.flag or "", material.when or "")))
        lines.append(f"{material.name}（{facts}）" if facts else material.name)
    return lines


def _steps(entry: Entry) -> list[str]:
    return list(entry.steps)


def _who_may(entry: Entry) -> list[str]:
    if not entry.approval:
        return []
    return [f"谁能办：{entry.approval.applicant}", *(f"条件：{one}" for one in entry.approval.conditions)]


def _law(entry: Entry) -> list[str]:
    return list(entry.citations)


def _sentences(entry: Entry, about: str) -> list[str]:
    parts = re.split(r"(?<=[。；])|\n", f"{entry.answer}\n{entry.more}")
    return [re.sub(r"^\d+\.\s*", "", part.strip()) for part in parts if part and re.search(about, part)][:4]


class Aspect(msgspec.Struct, frozen=True):
    """One thing people ask next: how it sounds, how the reply begins, where the facts are."""

    name: str
    pattern: re.Pattern[str]
    lead: str
    facts: Callable[[Entry], list[str]]
    fallback: str = ""


ASPECTS = (
    Aspect(
        "how_long",
        re.compile(
            r"多久|多长时间|多少时间|几天|多少天|几个月|时限|期限|时间限制|什么时候(?:到期|能|可以)|啥时候能?|多长|来得及"
        ),
        "时间上：",
        _how_long,
        r"\d+(?:日|天|个月|年|个工作日|小时)",
    ),
    Aspect(
        "where",
        re.compile(
            r"在哪里?|去哪里?|到哪里?|上哪里?|哪里?办|哪个部门|哪个窗口|什么地方|啥地方|地址|找谁|电话(?:是)?多少|打?(?:什么|哪个|啥)电话|归谁管|哪里"
        ),
        "去哪里：",
        _where,
        r"\{place\.|到.{1,12}(?:法院|局|所|中心|大厅)|打\d{3,5}",
    ),
    Aspect(
        "materials",
        re.compile(
            r"(?:需要|要)?(?:什么|哪些|啥)证据|材料|证件|手续|带些?什么|带啥|准备(?:些?什么|啥)|(?:需要|要)(?:哪些|些什么|什么东西|什么|啥)|拿什么"
        ),
        "要准备：",
        _materials,
        r"材料|证据|带上|提交",
    ),
    Aspect(
        "cost",
        re.compile(r"多少钱|多少税|税费|费用|收费|要钱|收钱|花钱|花多少|免费|贵不贵|交钱|收不收费"),
        "费用：",
        _cost,
        r"费|元|免费",
    ),
    Aspect(
        "steps",
        re.compile(r"怎么办理|怎么弄|流程|步骤|怎么申请|下一步|具体怎么(?:办|做)|怎么操作|程序"),
        "可以这样做：",
        _steps,
        r"^\d\.",
    ),
    Aspect("who", re.compile(r"谁能办|条件|什么人(?:可以|能)|资格"), "条件：", _who_may),
    Aspect("law", re.compile(r"依据|哪条法律|什么法律|法律规定|法条|哪部法|第几条"), "依据：", _law),
)
_SIGNS = re.compile(r"[\W_]+")
# What may stand beside the aspect without making it a question of its own.
_FILLER = re.compile(
    r"(?:那么?|这个?|它|的话|一般|大概|大约|需要|需|得|要|呢|吗|嘛|啊|呀|了|的|是|我|您|你|会|能|可以|应该|办理|办|去|又|还|都|到底|最|请问|总共|一共|这种|这样|这事|这件事|有|没有|什么|怎么|给|拿|回来|到|下来|收|批|答复|回复|出来|起诉|告|报案|投诉|报警|提出?|领到?|到账|他|她|它|们|内|之|不|才|就|再|些|出结果|结果|下来|处理|交|不|用|现在|问|想|知道|一下|具体|告诉|申请)"
)


def aspect_of(text: str) -> Aspect | None:
    """The aspect a message asks about, if it asks for nothing else; the topic must come from before."""
    bare = _SIGNS.sub("", text)
    for aspect in ASPECTS:
        rest = aspect.pattern.sub("", bare)
        if rest != bare and not _FILLER.sub("", rest):
            return aspect
    return None


def follow_up(turn: Turn) -> Outcome | None:
    """Answer from the entry talked about before; None if this is no such question."""
    entry = turn.library.base.entries.get(turn.state.entry or next(iter(turn.state.options), ""))
    if entry is None or turn.now.timestamp() - turn.state.touched > FRESH_SECONDS:
        return None
    aspect = aspect_of(turn.text)
    if aspect is None:
        return None
    facts = aspect.facts(entry) or (_sentences(entry, aspect.fallback) if aspect.fallback else [])
    if facts:
        body = "\n".join(f"{number}. {fact}" for number, fact in enumerate(facts, 1)) if len(facts) > 1 else facts[0]
        text = f"关于“{entry.question}”，{aspect.lead}\n{body}"
    else:
        text = wording.ASPECT_UNKNOWN.format(question=entry.question, hotline=HOTLINES[entry.kind])
    base = turn.library.base
    said = fit(Reply(f"{turn.say(text)}\n\n{replies.footer(entry, base)}", (replies.feedback_row(entry),)))
    state = replace(turn.state, entry=entry.id, rest=said.rest, options=(), touched=turn.now.timestamp())
    matter = Matter(entry.kind, entry.category, "answered", follows=True)
    return Outcome(said, Record("follow_up", matter, "answer", entry.id, entry.version, 1.0), state)
