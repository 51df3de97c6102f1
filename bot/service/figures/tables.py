"""The figures laid out as tables. Pages, reports, annexes and the terminal all show these very tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from bot.conversation.handoff.wording import GRADES
from bot.service.figures.cube import NOTHING, SATISFIED, Cell, Cube, Tally, added
from bot.service.figures.findings import Findings
from bot.service.figures.period import Period
from bot.service.handling import ENDS, SERVICES, STILL_OPEN
from bot.service.records.filters import NONE
from knowledge.categories import category_name
from knowledge.entry import KIND_NAMES

OUTCOMES = {"answered": "已解答", "offered": "待选择", "unanswered": "未答上", "referred": "转人工"}
CHANNELS = {"wechat": "公众号", "web": "网页"}
UNKNOWN = "未明确"
UNSAID = "未说明"
BOT = "法问自动答复"
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
# In the log's address: every value but none.
ANY_SERVICE = tuple(SERVICES)
ANY_GRADE = tuple(map(str, GRADES))
GOOD_GRADES = tuple(str(grade) for grade in GRADES if grade >= SATISFIED)
BAD_GRADES = tuple(str(grade) for grade in GRADES if grade < SATISFIED)
Filters = dict[str, str | tuple[str, ...]]


class Row(msgspec.Struct, frozen=True):
    """A line: its label, what finds its consultations in the log, and its tallies now and a year before.

    `days`: those it is of, if not of all the period.
    """

    label: str
    filters: Filters
    now: Tally
    before: Tally
    days: Period | None = None


class Column(msgspec.Struct, frozen=True):
    """A column: its name, its value for a row, how it reads, and what a link needs beside the row's filters.

    `before`: it counts the same days of the year before. The link of a share opens the part, not the whole.
    """

    name: str
    value: Callable[[Row], float | None]
    form: str = "count"
    filters: tuple[tuple[str, str | tuple[str, ...]], ...] | None = None
    before: bool = False


@dataclass(frozen=True)
class Table:
    """A breakdown. Every count column adds up to that of `total`."""

    slug: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: Row

    def values(self, row: Row) -> list[float | None]:
        """A row's values, column by column."""
        return [column.value(row) for column in self.columns]


def share(part: float, whole: float) -> float | None:
    """A part of a whole; None where there is no whole."""
    return part / whole if whole else None


def change(now: float, before: float) -> float | None:
    """How much more than before, as a part of before; None where there was nothing."""
    return (now - before) / before if before else None


PEOPLE = Column("人次", lambda row: row.now.consultations, filters=())
PEOPLE_BEFORE = Column("上年同期", lambda row: row.before.consultations, filters=(), before=True)
PEOPLE_CHANGE = Column("同比", lambda row: change(row.now.consultations, row.before.consultations), "change")
DONE = Column("办结件数", lambda row: row.now.services, filters=(("service", ANY_SERVICE),))
DONE_BEFORE = Column("上年同期", lambda row: row.before.services, filters=(("service", ANY_SERVICE),), before=True)
DONE_CHANGE = Column("同比", lambda row: change(row.now.services, row.before.services), "change")
RATED = Column("评价", lambda row: row.now.rated, filters=(("grade", ANY_GRADE),))
RATED_BEFORE = Column("上年同期", lambda row: row.before.rated, filters=(("grade", ANY_GRADE),), before=True)
CONTENT = Column(
    "满意率", lambda row: share(row.now.satisfied, row.now.rated), "share", filters=(("grade", GOOD_GRADES),)
)
FIRST = Column(
    "首问答复率",
    lambda row: share(row.now.first_answered, row.now.consultations),
    "share",
    filters=(("first", "answered"),),
)
HANDED = Column("转人工", lambda row: row.now.handed, filters=(("handed", "1"),))

_WHOLE = (PEOPLE, PEOPLE_BEFORE, PEOPLE_CHANGE, DONE, RATED, CONTENT)
_SERVICES = (DONE, DONE_BEFORE, DONE_CHANGE, RATED, CONTENT)


def tables(found: Findings) -> list[Table]:
    """All breakdowns, in the order of pages and annexes."""
    return [
        _kinds(found),
        _categories(found),
        _townships(found),
        _channels(found),
        _outcomes(found),
        _handlers(found),
        _services(found),
        _centres(found),
        _grades(found),
        months(found),
        _weekdays(found),
    ]


def _table(
    found: Findings,
    slug: str,
    title: str,
    columns: tuple[Column, ...],
    key: Callable[[Cell], tuple[str, ...]],
    show: Callable[[tuple[str, ...]], tuple[str, Filters]],
    keep: Callable[[Cell], bool] | None = None,
    order: Sequence[tuple[str, ...]] = (),
    of: Filters | None = None,
) -> Table:
    """A breakdown by `key`; largest first, or in the `order` given, which also lists what did not occur.

    `keep` says which consultations it breaks down, and `of` finds them in the log.
    """
    now, before = found.now.by(key, keep), found.before.by(key, keep)
    rest = sorted((set(now) | set(before)) - set(order), key=lambda name: (*_size(now, name), name))
    names = [*order, *rest]
    rows = tuple(Row(*show(name), now.get(name, NOTHING), before.get(name, NOTHING)) for name in names)
    return Table(slug, title, columns, rows, _total(rows, of))


def _size(tallies: dict[tuple[str, ...], Tally], name: tuple[str, ...]) -> tuple[int, int]:
    """For sorting: the largest first."""
    tally = tallies.get(name, NOTHING)
    return -tally.consultations, -tally.services


def _total(rows: Iterable[Row], filters: Filters | None = None) -> Row:
    rows = tuple(rows)
    return Row("合计", filters or {}, added(row.now for row in rows), added(row.before for row in rows))


def whole(found: Findings) -> Row:
    """The period as one row."""
    return Row("合计", {}, found.now.total, found.before.total)


def _kinds(found: Findings) -> Table:
    order = [(kind,) for kind in KIND_NAMES]
    return _table(
        found,
        "kind",
        "咨询类别",
        (*_WHOLE, FIRST),
        lambda cell: (cell.kind,),
        lambda key: (KIND_NAMES.get(key[0], UNKNOWN), {"kind": key[0] or NONE}),
        order=order,
    )


def _categories(found: Findings) -> Table:
    def show(key: tuple[str, ...]) -> tuple[str, Filters]:
        kind, category = key
        label = f"{KIND_NAMES[kind]}·{category_name(category)}" if kind in KIND_NAMES else UNKNOWN
        return label, {"kind": kind or NONE, "category": category or NONE}

    return _table(found, "category", "咨询事项", _WHOLE, lambda cell: (cell.kind, cell.category), show)


def _townships(found: Findings) -> Table:
    return _table(
        found,
        "township",
        "乡镇",
        _WHOLE,
        lambda cell: (cell.township,),
        lambda key: (key[0] or UNSAID, {"township": key[0] or NONE}),
    )


def _channels(found: Findings) -> Table:
    return _table(
        found,
        "channel",
        "渠道",
        (*_WHOLE, FIRST),
        lambda cell: (cell.channel,),
        lambda key: (CHANNELS.get(key[0], key[0]), {"channel": key[0]}),
        order=[(channel,) for channel in CHANNELS],
    )


def _outcomes(found: Findings) -> Table:
    return _table(
        found,
        "outcome",
        "结果",
        (PEOPLE, PEOPLE_BEFORE, PEOPLE_CHANGE, HANDED),
        lambda cell: (cell.outcome,),
        lambda key: (OUTCOMES.get(key[0], key[0]), {"outcome": key[0]}),
        order=[(outcome,) for outcome in OUTCOMES],
    )


def _handlers(found: Findings) -> Table:
    def show(key: tuple[str, ...]) -> tuple[str, Filters]:
        worker = found.workers.get(key[0])
        return BOT if key[0] == "bot" else worker.name if worker else key[0], {"handled_by": key[0]}

    return _table(found, "handler", "办理人", _WHOLE, lambda cell: (cell.handler,), show)


def _services(found: Findings) -> Table:
    return _table(
        found,
        "service",
        "办结方式",
        _SERVICES,
        lambda cell: (cell.service,),
        lambda key: (SERVICES.get(key[0], key[0]), {"service": key[0]}),
        keep=lambda cell: bool(cell.service),
        order=[(service,) for service in SERVICES],
        of={"service": ANY_SERVICE},
    )


def _centres(found: Findings) -> Table:
    def centre(cell: Cell) -> tuple[str, ...]:
        worker = found.workers.get(cell.handler)
        return (worker.centre if worker else "",)

    served = {(*centre(cell), cell.handler) for cell in (*found.now.cells, *found.before.cells) if cell.service}
    logins: dict[str, tuple[str, ...]] = {}
    for name, login in sorted(served):
        logins[name] = (*logins.get(name, ()), login)

    def show(key: tuple[str, ...]) -> tuple[str, Filters]:
        return key[0] or found.centre_name, {"handled_by": logins.get(key[0], ()), "service": ANY_SERVICE}

    return _table(
        found,
        "centre",
        "服务中心",
        _SERVICES,
        centre,
        show,
        keep=lambda cell: bool(cell.service),
        of={"service": ANY_SERVICE},
    )


def _grades(found: Findings) -> Table:
    return _table(
        found,
        "grade",
        "群众评价",
        (RATED, RATED_BEFORE),
        lambda cell: (str(cell.grade),),
        lambda key: (GRADES[int(key[0])], {"grade": key[0]}),
        keep=lambda cell: bool(cell.grade),
        order=[(str(grade),) for grade in GRADES],
    )


def months(found: Findings) -> Table:
    """Month by month, beside the same month of the year before."""
    now, before = _monthly(found.now), _monthly(found.before)
    rows = []
    for year, month in found.period.months:
        part = found.period.month(year, month)
        was = before.get((year - 1, month), NOTHING)
        rows.append(Row(f"{year}年{month}月", {}, now.get((year, month), NOTHING), was, days=part))
    columns = (PEOPLE, PEOPLE_BEFORE, PEOPLE_CHANGE, DONE, DONE_BEFORE, DONE_CHANGE)
    return Table("month", "逐月", columns, tuple(rows), _total(rows))


def _monthly(counted: Cube) -> dict[tuple[int, int], Tally]:
    found: dict[tuple[int, int], Tally] = {}
    for hour in counted.hours:
        key = (hour.day.year, hour.day.month)
        found[key] = found.get(key, NOTHING) + Tally(hour.consultations, hour.services)
    return found


def _weekdays(found: Findings) -> Table:
    now, before = ([NOTHING] * len(WEEKDAYS) for _ in range(2))
    for tallies, counted in ((now, found.now), (before, found.before)):
        for hour in counted.hours:
            tallies[hour.weekday] += Tally(hour.consultations, hour.services)
    rows = tuple(Row(name, {"weekday": str(day + 1)}, now[day], before[day]) for day, name in enumerate(WEEKDAYS))
    columns = (PEOPLE, PEOPLE_BEFORE, PEOPLE_CHANGE)
    return Table("weekday", "忙闲", columns, rows, _total(rows))


def load_of(found: Findings) -> list[list[int]]:
    """How many asked in each hour of each weekday: seven rows of 24."""
    grid = [[0] * 24 for _ in WEEKDAYS]
    for hour in found.now.hours:
        grid[hour.weekday][hour.hour] += hour.consultations
    return grid


class End(msgspec.Struct, frozen=True):
    """A way in which asking for a person ended: its label, what finds it in the log, consultations now and a year before."""

    label: str
    filters: Filters
    now: int
    before: int


def ends(found: Findings) -> list[End]:
    """The ways that occurred."""
    now, before = found.handed.ends, found.handed_before.ends
    names = {**ENDS, "": STILL_OPEN}
    return [
        End(name, {"ended": end or NONE}, now.get(end, 0), before.get(end, 0))
        for end, name in names.items()
        if end in now or end in before
    ]


def shown(value: float | None, form: str) -> str:
    """A value as people read it: 1,173; 98.5%; +12.3%; — for none."""
    if value is None:
        return "—"
    if form == "share":
        return f"{value:.1%}"
    if form == "change":
        return f"{value:+.1%}"
    return f"{value:,.0f}"


def summary(found: Findings) -> list[str]:
    """The period in a few lines of plain text."""
    total, before = found.now.total, found.before.total
    asked = (
        f"{found.period.name}：咨询 {total.consultations:,} 人次，{found.now.citizens:,} 人，其中紧急 {total.urgent:,} 人次；"
        f"上年同期 {before.consultations:,} 人次"
    )
    done = (
        f"办结 {total.services:,} 件；首问答复率 {shown(share(total.first_answered, total.consultations), 'share')}；"
        f"满意率 {shown(share(total.satisfied, total.rated), 'share')}（评价 {total.rated:,} 人次）"
    )
    waited = (
        f"转人工 {total.handed:,} 人次，占 {shown(share(total.handed, total.consultations), 'share')}；"
        f"工作时间等律师中位 {minutes(found.handed.median)}，九成不超过 {minutes(found.handed.longest_of_nine)}"
    )
    tasks = [
        f"{task.place or '全县'}年度任务 {task.target:,} 件，到 {task.period.last} 完成 {task.done:,} 件，{shown(task.share, 'share')}"
        for task in found.tasks
    ]
    ended = [f"{end.label} {end.now:,}" for end in ends(found) if end.now]
    how = [f"转人工的结局：{'，'.join(ended)}"] if ended else []
    marked = ["演示数据，不是真实记录。"] if found.demo else []
    return [*marked, asked, done, waited, *how, *tasks]


def minutes(wait: timedelta | None) -> str:
    """A wait as people read it."""
    return "—" if wait is None else f"{wait.total_seconds() / 60:.1f} 分钟"
