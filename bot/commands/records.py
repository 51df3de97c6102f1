"""`log` and `stats`: look at the records from a terminal."""

from __future__ import annotations

import threading
from typing import Annotated

import typer
from rich.table import Table

from bot.commands.common import DemoOption, SettingsOption, fail, out, reading, settings_or_fail
from bot.conversation.turn import LOCAL
from bot.ids import utc_now
from bot.masking import mask
from bot.service.figures.findings import find
from bot.service.figures.period import PeriodError, read
from bot.service.figures.tables import CHANNELS, shown, summary, tables
from bot.service.figures.tables import Table as Figures
from bot.service.lately import LogLine, last

LOOK_EVERY = 1.0


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
    channel = CHANNELS.get(line.channel, line.channel)
    return f"{line.at:%Y-%m-%d %H:%M:%S} {channel} {line.citizen} {counted} [{answer}] {text}"


def stats(
    month: Annotated[str, typer.Option(help="a month, like 2026-11")] = "",
    quarter: Annotated[str, typer.Option(help="a quarter, like 2026-4")] = "",
    year: Annotated[str, typer.Option(help="a year, like 2026")] = "",
    start: Annotated[str, typer.Option("--from", help="first day, like 2026-11-01")] = "",
    until: Annotated[str, typer.Option(help="last day, like 2026-11-15")] = "",
    settings: SettingsOption = None,
    demo: DemoOption = False,
) -> None:
    """Count the consultations opened in a period, as the page 数字 does; without one, this month's."""
    asked = {"month": month, "quarter": quarter, "year": year, "from": start, "until": until}
    try:
        chosen = read(asked, utc_now().astimezone(LOCAL).date())
    except PeriodError as error:
        fail(str(error))
    read_settings = settings_or_fail(settings, demo=demo)
    with reading(read_settings) as conn:
        found = find(conn, chosen, "")
    for line in summary(found):
        out.print(line)
    for table in tables(found):
        if table.rows:
            out.print(_table(table))


def _table(figures: Figures) -> Table:
    """A breakdown, without what the period does not have."""
    shape = Table(title=figures.title, title_justify="left")
    shape.add_column("")
    for column in figures.columns:
        shape.add_column(column.name, justify="right")
    for row in (*figures.rows, figures.total):
        values = figures.values(row)
        if row is figures.total or any(values):
            shape.add_row(
                row.label, *(shown(n, column.form) for n, column in zip(values, figures.columns, strict=True))
            )
    return shape
