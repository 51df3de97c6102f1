"""`demo-data`: a made-up year to try reports and pages on."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands.common import DemoOption, SettingsOption, fail, out, settings_or_fail, writing
from bot.ids import utc_now, uuid7

EARLIEST = 2015


def demo_data(
    year: Annotated[int, typer.Option(help="the year to make up", min=EARLIEST)],
    consultations: Annotated[int, typer.Option(help="how many", min=1, max=1_000_000)] = 20_000,
    seed: Annotated[int, typer.Option(help="the same seed gives the same records")] = 1,
    settings: SettingsOption = None,
    demo: DemoOption = False,
) -> None:
    """Fill an empty database with a made-up year of consultations, marked as a demonstration everywhere."""
    # So that --help stays quick.
    from bot.app import read_library  # noqa: PLC0415
    from bot.service import accounts  # noqa: PLC0415
    from bot.service.demo import write  # noqa: PLC0415

    chosen, now = settings_or_fail(settings, demo=demo), utc_now()
    if year > now.year:
        fail(f"--year: {year} 年还没有到")
    password = accounts.hashed(accounts.DEMO_PASSWORD) if chosen.demo else ""
    wish = write.Wish(year, consultations, seed, password)
    with writing(chosen) as change:
        try:
            change(lambda conn: write.check(conn, wish, demo=chosen.demo))
            library = read_library(chosen)
            if chosen.demo:
                change(lambda conn: accounts.demonstration(conn, uuid7, password, now))
            made = change(lambda conn: write.fill(conn, wish, library, chosen.handoff.office_hours, now))
        except write.NotDemoError as error:
            fail(str(error))
    out.print(
        f"写入 {year} 年演示咨询 {made.consultations} 人次，群众 {made.citizens} 人，转人工 {made.handed} 件，办结 {made.services} 件。"
    )
    if chosen.demo:
        out.print(f"演示账号：demo-han（负责人）、demo-gao（工作人员）等，密码都是 {accounts.DEMO_PASSWORD}")
    else:
        out.print("演示账号没有密码，不能登录；要用请先运行  python -m bot user passwd demo-gao")
