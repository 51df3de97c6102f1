"""What the page of figures shows: the tables with their links, each with its chart. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup

from bot.console.figures import charts
from bot.service.figures import period as periods
from bot.service.figures import tables as layout
from bot.service.figures.findings import Findings
from bot.service.figures.period import Period
from bot.service.figures.tables import Filters, Row, Table, share, shown

LOG = "/console"
PAGE = "/console/figures"
# A chart of more bars than this says less than its table.
MOST_BARS = 12


class Value(msgspec.Struct, frozen=True):
    """A number as it reads, and the page of its rows; without one it is no link."""

    text: str
    href: str = ""


class Line(msgspec.Struct, frozen=True):
    """A line of a table."""

    label: str
    values: tuple[Value, ...]


class Section(msgspec.Struct, frozen=True):
    """A breakdown as the page shows it."""

    slug: str
    title: str
    chart: Markup
    head: tuple[str, ...]
    lines: tuple[Line, ...]
    total: Line


class Tile(msgspec.Struct, frozen=True):
    """One of the figures at the top. `more`: what else somebody wants who looks at it."""

    name: str
    value: Value
    hint: str
    more: Value | None = None


def log_link(period: Period, filters: Mapping[str, str | tuple[str, ...]]) -> str:
    """The log page with exactly the consultations a number counts."""
    query = {"from": period.first.isoformat(), "until": period.last.isoformat(), **filters}
    return f"{LOG}?{urlencode(query, doseq=True)}"


def sections(found: Findings) -> list[Section]:
    """All breakdowns that have something to tell."""
    return [_section(found, table) for table in layout.tables(found) if table.rows]


def _section(found: Findings, table: Table) -> Section:
    lines = tuple(_line(found, table, row) for row in table.rows)
    return Section(
        table.slug,
        table.title,
        _chart(found, table),
        tuple(column.name for column in table.columns),
        lines,
        _line(found, table, table.total),
    )


def _line(found: Findings, table: Table, row: Row) -> Line:
    values = []
    for column in table.columns:
        number = column.value(row)
        href = ""
        if column.filters is not None and number:
            period = row.days or found.period
            wanted = {**row.filters, **_more(row.filters, column.filters)}
            href = log_link(period.before if column.before else period, wanted)
        values.append(Value(shown(number, column.form), href))
    return Line(row.label, tuple(values))


def _more(known: Filters, wanted: tuple[tuple[str, str | tuple[str, ...]], ...]) -> Filters:
    """What a column asks for, unless the row itself asks for something narrower."""
    return {name: value for name, value in wanted if name not in known}


def ends(found: Findings) -> list[Line]:
    """How asking for a person ended, now and a year before, each number leading to its consultations."""
    return [
        Line(
            end.label,
            tuple(
                Value(f"{number:,}", log_link(period, end.filters) if number else "")
                for number, period in ((end.now, found.period), (end.before, found.period.before))
            ),
        )
        for end in layout.ends(found)
    ]


def load(found: Findings) -> list[Line]:
    """How many asked in each hour of each weekday, each number leading to them."""
    return [
        Line(
            name,
            tuple(
                Value(
                    f"{number:,}",
                    log_link(found.period, {"weekday": str(day), "hour": str(hour)}) if number else "",
                )
                for hour, number in enumerate(hours)
            ),
        )
        for day, (name, hours) in enumerate(zip(layout.WEEKDAYS, layout.load_of(found), strict=True), 1)
    ]


def _chart(found: Findings, table: Table) -> Markup:
    if table.slug == "month":
        rows = [(row.label.partition("年")[2], row.now.consultations, row.before.consultations) for row in table.rows]
        return charts.columns("逐月咨询人次", rows)
    if table.slug == "weekday":
        return charts.heat("一周里什么时候来咨询", layout.WEEKDAYS, layout.load_of(found))
    first = table.columns[0]
    shown_rows = [row for row in table.rows if first.value(row)][:MOST_BARS]
    return charts.bars(
        table.title,
        [(row.label.rpartition("·")[2], first.value(row) or 0, shown(first.value(row), "count")) for row in shown_rows],
    )


def tiles(found: Findings) -> list[Tile]:
    """The figures everybody asks for first."""
    now, before = found.now.total, found.before.total
    rate = layout.change(now.consultations, before.consultations)

    def part(
        name: str, some: int, whole: int, was: int, was_whole: int, wanted: Filters, *, more: Value | None = None
    ) -> Tile:
        hint = f"上年同期 {shown(share(was, was_whole), 'share')}"
        href = log_link(found.period, wanted) if some else ""
        return Tile(name, Value(shown(share(some, whole), "share"), href), hint, more)

    link = log_link(found.period, {})
    unhappy = now.rated - now.satisfied
    return [
        Tile("咨询人次", Value(f"{now.consultations:,}", link), f"上年同期 {before.consultations:,}，{shown(rate, 'change')}"),
        Tile("咨询群众", Value(f"{found.now.citizens:,}"), f"上年同期 {found.before.citizens:,} 人"),
        Tile(
            "办结件数",
            Value(f"{now.services:,}", log_link(found.period, {"service": layout.ANY_SERVICE})),
            f"上年同期 {before.services:,}，{shown(layout.change(now.services, before.services), 'change')}",
        ),
        part(
            "首问答复率", now.first_answered, now.consultations, before.first_answered, before.consultations,
            {"first": "answered"},
        ),
        part(
            "转人工率", now.handed, now.consultations, before.handed, before.consultations,
            {"handed": "1"},
        ),
        part(
            "满意率", now.satisfied, now.rated, before.satisfied, before.rated, {"grade": layout.GOOD_GRADES},
            more=Value(f"不满意 {unhappy:,} 人次", log_link(found.period, {"grade": layout.BAD_GRADES})) if unhappy else None,
        ),
        Tile(
            "等律师（中位）",
            Value(layout.minutes(found.handed.median)),
            f"九成不超过 {layout.minutes(found.handed.longest_of_nine)}；下班后来的 {found.handed.off_duty:,} 次不算",
        ),
    ]  # fmt: skip


def task_section(found: Findings) -> Section | None:
    """The yearly tasks, if there are any."""
    if not found.tasks:
        return None
    rows = [(task.place or "全县", task.share, f"{task.share:.0%}") for task in found.tasks]
    lines = tuple(
        Line(
            task.place or "全县",
            (
                Value(f"{task.target:,}"),
                Value(
                    f"{task.done:,}",
                    log_link(task.period, {**task.filters, "service": layout.ANY_SERVICE}) if task.done else "",
                ),
                Value(shown(task.share, "share")),
            ),
        )
        for task in found.tasks
    )
    chart = charts.progress("年度任务完成率", rows)
    head = ("年度任务", "完成", "完成率")
    return Section(
        "task", f"{found.period.last.year}年度任务（到{found.period.last}）", chart, head, lines[1:], lines[0]
    )


class Choice(msgspec.Struct, frozen=True):
    """A period to tap."""

    name: str
    query: str
    chosen: bool


def choices(chosen: Period, today: date) -> list[Choice]:
    """The periods somebody wants most often."""
    number = (today.month - 1) // 3 + 1
    last_month = today.replace(day=1) - timedelta(days=1)
    last_quarter = (today.year - 1, 4) if number == 1 else (today.year, number - 1)
    found = [
        ("本月", periods.month_of(today.year, today.month)),
        ("上月", periods.month_of(last_month.year, last_month.month)),
        ("本季度", periods.quarter(today.year, number)),
        ("上季度", periods.quarter(*last_quarter)),
        ("今年", periods.year_of(today.year)),
        ("去年", periods.year_of(today.year - 1)),
    ]
    return [Choice(name, query_of(period), period == chosen) for name, period in found]


def query_of(period: Period) -> str:
    """The period as it stands in an address."""
    return urlencode({"from": period.first.isoformat(), "until": period.last.isoformat()})
