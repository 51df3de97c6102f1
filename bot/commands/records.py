"""`log` and `stats`: look at the records from a terminal."""

from __future__ import annotations

import re
import threading
from typing import Annotated

import typer
from rich.table import Table

from bot.commands.common import DemoOption, SettingsOption, fail, out, reading, settings_or_fail
from bot.conversation.handoff.wording import GRADES
from bot.masking import mask
from bot.service.figures import Figures, Handed, LogLine, Month, figures, handed, last
from bot.service.handling import ENDS, SERVICES
from knowledge.entry import KIND_NAMES

LOOK_EVERY = 1.0
_OUTCOMES = {"answered": "已解答", "offered": "待选择", "unanswered": "未答上", "referred": "转人工"}
_CHANNELS = {"wechat": "公众号", "web": "网页"}


def log(
    number: Annotated[int, typer.Option("--last", min=1, max=1000, help="how many messages")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="keep showing new ones until Ctrl-C")] = False,
    settings: SettingsOption = None,
    demo: DemoOption = False,
) -> None:
    """Show the newest messages: when, who (masked), what was asked, what was answered."""
    chosen = settings_or_fail(settings, demo=demo)
    with reading(chosen) as conn:
        lines = last(conn, number)
        for line in lines:
            out.print(_shown(line), markup=False)
        newest = lines[-1].id if lines else ""
        never = threading.Event()
        while follow and not never.wait(LOOK_EVERY):
            conn.rollback()
            for line in last(conn, 1000, newest or "0"):
                out.print(_shown(line), markup=False)
                newest = line.id


def _shown(line: LogLine) -> str:
    text = mask(" ".join(line.text.split()))[:60]
    answer = f"{line.verdict or '-'} {line.entry or '-'} {line.confidence:.2f}" if line.verdict else line.flow
    counted = "计" if line.consultation else "－"
    channel = _CHANNELS.get(line.channel, line.channel)
    return f"{line.at:%Y-%m-%d %H:%M:%S} {channel} {line.citizen} {counted} [{answer}] {text}"


def stats(
    month: Annotated[str, typer.Option(help="month, like 2026-11")],
    settings: SettingsOption = None,
    demo: DemoOption = False,
) -> None:
    """Count the consultations opened in a month: by kind, category, outcome and channel."""
    match = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", month)
    if match is None:
        fail(f"--month: {month!r} is not a month; write it like 2026-11")
    start, end = Month(int(match[1]), int(match[2])).span
    with reading(settings_or_fail(settings, demo=demo)) as conn:
        found, people = figures(conn, start, end), handed(conn, start, end)
    out.print(f"{month} 咨询 {found.total} 人次，{found.citizens} 人，其中紧急 {found.urgent} 人次")
    for table in _tables(found):
        out.print(table)
    if people.total:
        out.print(_waited(people))
        for table in _handed(people):
            out.print(table)


def _tables(found: Figures) -> list[Table]:
    kinds = KIND_NAMES | {"": "未明确"}
    by_category = {f"{kinds[kind]} · {category or '未明确'}": n for (kind, category), n in found.by_category.items()}
    return [
        _table("类别", {kinds[kind]: n for kind, n in found.by_kind.items()}),
        _table("事项", by_category),
        _table("结果", {_OUTCOMES[outcome]: n for outcome, n in found.by_outcome.items()}),
        _table("渠道", {_CHANNELS[channel]: n for channel, n in found.by_channel.items()}),
    ]


def _waited(people: Handed) -> str:
    wait = "" if people.median_wait is None else f"，排队中位 {people.median_wait.total_seconds() / 60:.0f} 分钟"
    return f"转人工 {people.total} 件{wait}"


def _handed(people: Handed) -> list[Table]:
    ends = ENDS | {"": "还没结束"}
    found = [
        _table("转人工", {ends[end]: n for end, n in people.by_end.items()}, "件"),
        _table("办理结果", {SERVICES.get(one, "未填"): n for one, n in people.by_service.items()}, "件"),
        _table("律师", people.by_lawyer, "件"),
        _table("评价", {GRADES[grade]: n for grade, n in people.grades.items()}, "件"),
    ]
    return [table for table in found if table.row_count > 1]


def _table(name: str, numbers: dict[str, int], unit: str = "人次") -> Table:
    table = Table(name, unit, title=None)
    for label, number in numbers.items():
        table.add_row(label, str(number))
    table.add_row("合计", str(sum(numbers.values())))
    return table
