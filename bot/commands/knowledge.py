"""`knowledge`: the county's own content out of the store as files, and files into it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.common import DemoOption, SettingsOption, fail, out, reading, settings_or_fail, writing
from bot.conversation.turn import LOCAL
from bot.ids import utc_now, uuid7
from bot.service import county, importing
from knowledge import check as checks
from knowledge import exchange
from knowledge.cache import cached
from knowledge.load import ContentError, KnowledgeBase
from knowledge.overlay import overlaid
from knowledge.search.mixer import load_mixer
from knowledge.search.rank import searcher
from knowledge.search.tables import Tables

knowledge = typer.Typer(no_args_is_help=True, help="The county's own content: out of the store as files, and back.")


@knowledge.command("export")
def export_content(
    to: Annotated[Path, typer.Option("--to", help="folder to write to; made if it is missing, refused if not empty")],
    settings: SettingsOption = None,
    demo: DemoOption = False,
) -> None:
    """Write what the county changed, added, retired and confirmed as YAML in the format of the shipped files."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        fail(f"--to: {to} is not an empty folder")
    base, _ = cached()
    with reading(settings_or_fail(settings, demo=demo)) as conn:
        content = exchange.parcel(base, county.overlay(conn, utc_now()))
    for name, text in exchange.written(content).items():
        path = to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    out.print(f"写好了：{len(content.entries)}条，停用{len(content.retired)}条，不归我们管的{len(content.strangers)}句")


@knowledge.command("import")
def import_content(
    folder: Annotated[Path, typer.Argument(help="folder that `knowledge export` wrote")],
    login: Annotated[str, typer.Option("--as", help="login name of the member of staff who answers for it")],
    settings: SettingsOption = None,
    demo: DemoOption = False,
) -> None:
    """Publish what such a folder holds; nothing is taken in unless all of it passes the checks."""
    chosen = settings_or_fail(settings, demo=demo)
    base, tables = cached()
    try:
        content = exchange.read(folder)
    except ContentError as error:
        fail(str(error))
    now = utc_now()
    if faults := _faults(base, tables, content, now):
        fail(*faults)
    with writing(chosen) as write:
        try:
            done = write(lambda conn: importing.take_in(conn, uuid7, base, content, login, now))
        except county.RefusedError as refused:
            fail(str(refused))
    out.print(
        f"收下了：{done.texts}条新文字，{done.wordings}句群众问法，{done.readings}条律师确认，停用{done.retired}条"
    )
    for name in done.unknown:
        out.print(f"没有叫“{name}”的律师，这位的确认没有收下", markup=False)


def _faults(base: KnowledgeBase, tables: Tables, content: exchange.Parcel, now: datetime) -> list[str]:
    """What the checks say against the entries that differ from the shipped ones."""
    after = overlaid(base, content.overlay())
    changed = [
        after.entries[key]
        for key, entry in content.entries.items()
        if key in after.entries and (key not in base.entries or base.entries[key].version != after.entries[key].version)
    ]
    search = searcher(base, load_mixer(), tables=tables).amended(after)
    day = now.astimezone(UTC).astimezone(LOCAL).date()
    return [str(one) for one in checks.check(after, changed, day, search) if one.fatal]
