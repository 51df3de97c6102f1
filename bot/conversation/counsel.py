"""A lawyer without a browser: what a message from their own WeChat asks for, and what they read in return."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from knowledge.reply import TEXT_LIMIT, Reply, Tap, cut

Act = Literal[
    "claim", "queue", "say", "switch", "close", "release", "transfer", "on", "off", "citizen", "help", "bind", "unbind"
]
TAP = "law:"
_TAIL = " 。.!！~～"
_BIND = re.compile(r"^绑定\s*[:：]?\s*([0-9]{6,10})$")
_UNBIND = re.compile(r"^解除绑定$|^解绑$")
# These enter the lawyer's mode; the others mean something else to a citizen.
_ENTER: dict[str, Act] = {"上班": "on", "接单": "claim", "排队": "queue", "律师帮助": "help"}
_INSIDE: dict[str, Act] = _ENTER | {
    "下班": "off",
    "我要咨询": "citizen",
    "帮助": "help",
    "回复": "say",
    "切换": "switch",
    "结束": "close",
    "退回": "release",
    "转交": "transfer",
}
_WORDS = re.compile(rf"^({'|'.join(_INSIDE)})(?:\s+(.+)|\s*([0-9]{{1,3}}))?$", re.DOTALL)
_GIVEN = re.compile(r"^(转交|结束)(?:给)?\s*([\u4e00-\u9fff]{2,12})$")

HELP = (
    "您现在是律师身份。能用的话：\n"
    "排队：看谁在等\n接单，接单 2：接第几位\n直接打字：回给正在接待的群众\n切换 2：换一位\n"
    "结束，结束 转法律援助：结束咨询\n退回：放回队里\n转交 李律师：转给同事\n"
    "我要咨询：回到群众身份（不下班）\n下班：不再接单"
)
NOBODY = "现在没有人在等。有人来了会通知您。"
NOT_ATTENDING = "您现在没有接待哪位群众，这句话没有发出去。先“排队”看看，或“接单”。"
ENDED = "这位群众的咨询已经结束或转走，您这句话没有发出去。"
TAKEN = "{name}刚刚接了这位群众。"
GONE = "这位已经不在队里了。"
ON = "已上班。"
OFF = "已下班，不再给您派单。您现在和群众一样咨询。"
STILL = "您手上还有{count}位群众，请先“结束”“退回”或“转交”，再下班。"
AS_CITIZEN = "好的，现在按群众身份给您解答。要接待时回复“上班”。"
TEXT_ONLY = "在这里只能发文字。图片请到工作台发。"
CLOSED = "已结束【群众{number}】的咨询（{service}），已请对方打分。"
NO_SERVICE = "没有“{word}”这种结果。可以用：{all}。"
RELEASED = "已把【群众{number}】放回队里。"
TRANSFERRED = "已把【群众{number}】转给{name}。"
NO_COLLEAGUE = "没有找到“{word}”。可以转给：{all}。"
NO_SUCH = "没有这个编号。"


class Command(msgspec.Struct, frozen=True):
    """What the lawyer wants; `what` is a number, a name, an id, or the words for the citizen."""

    act: Act
    what: str = ""


def read(text: str, tap: str, *, lawyer: bool, inside: bool) -> Command | None:
    """What a message asks for as a lawyer's; None if it is a citizen's.

    `lawyer`: the WeChat is bound; `inside`: they are in the lawyer's mode, where all words are for their citizen.
    """
    bare = text.strip().rstrip(_TAIL)
    if (code := _BIND.match(bare)) is not None:
        return Command("bind", code[1])
    if not lawyer:
        return None
    if _UNBIND.match(bare):
        return Command("unbind")
    if tap:
        act, _, what = tap.removeprefix(TAP).partition(":")
        return Command(_TAPS[act], what) if tap.startswith(TAP) and act in _TAPS else None
    found = _WORDS.match(bare) or (_GIVEN.match(bare) if inside else None)
    if found is not None and (inside or found[1] in _ENTER):
        return Command(_INSIDE[found[1]], next((part.strip() for part in found.groups()[1:] if part), ""))
    return Command("say", text) if inside else None


_TAPS: dict[str, Act] = {"claim": "claim", "switch": "switch", "queue": "queue", "close": "close", "release": "release"}


class Waiting(msgspec.Struct, frozen=True):
    """Somebody in the queue, as a lawyer on the phone sees them."""

    id: str
    subject: str
    township: str
    minutes: int
    urgent: bool


def queue(waiting: Sequence[Waiting], lead: str = "") -> Reply:
    """Who waits, each to be claimed with one tap."""
    if not waiting:
        return Reply(f"{lead}{NOBODY}")
    lines = [f"{number}. {_line(one)}" for number, one in enumerate(waiting[:MOST], 1)]
    more = f"\n还有{len(waiting) - MOST}位在后面。" if len(waiting) > MOST else ""
    rows = tuple((Tap(f"接单 {n}", f"接单 {n}", f"{TAP}claim:{one.id}"),) for n, one in enumerate(waiting[:MOST], 1))
    return Reply(f"{lead}{len(waiting)}位群众在等：\n" + "\n".join(lines) + more, rows)


# So many fit one message, as taps and as lines.
MOST, LISTED = 6, 20


def _line(one: Waiting) -> str:
    parts = [one.subject, one.township, f"等了{one.minutes}分钟"]
    return ("急件 " if one.urgent else "") + "，".join(part for part in parts if part)


ACTS = ((Tap("结束", "结束", f"{TAP}close"), Tap("退回", "退回", f"{TAP}release"), Tap("排队", "排队", f"{TAP}queue")),)
_ROOM = TEXT_LIMIT - 700


def attending(number: int, head: str, lines: Sequence[str]) -> Reply:
    """Whom the lawyer attends now, and the last of what was said, as much as one message holds."""
    shown: list[str] = []
    for line in reversed(lines):
        if len("\n".join([line, *shown]).encode()) > _ROOM:
            shown.insert(0, "（更早的请到工作台看）" if shown else cut(line, _ROOM)[0] + "……")
            break
        shown.insert(0, line)
    said = "\n".join(shown)
    return Reply(f"现在接待【群众{number}】{head}\n{said}\n直接打字就是回给对方。", ACTS)


def held(mine: Sequence[tuple[int, str, str]], current: str) -> Reply:
    """The lawyer's own citizens: number, id, subject."""
    if not mine:
        return Reply(NOT_ATTENDING)
    lines = [f"【群众{n}】{subject}{'（正在接待）' if id_ == current else ''}" for n, id_, subject in mine[:LISTED]]
    lines += [f"还有{len(mine) - LISTED}位，请到工作台看。"] if len(mine) > LISTED else []
    taps = tuple((Tap(f"切换 {n}", f"切换 {n}", f"{TAP}switch:{id_}"),) for n, id_, _ in mine[:MOST] if id_ != current)
    return Reply("\n".join(lines), taps)
