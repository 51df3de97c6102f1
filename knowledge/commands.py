"""What the commands of `python -m knowledge` share: where they print, their options, how they refuse."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from knowledge.load import ContentError, KnowledgeBase, load
from knowledge.places import Locality, LocalityError, read_locality

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

ContentOption = Annotated[Path, typer.Option("--content", help="folder of the content files")]
LocalityOption = Annotated[
    Path | None,
    typer.Option("--locality", help="the county's locality file; without it answers name national hotlines"),
]
DayOption = Annotated[datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="answer as on this day")]


def day_of(chosen: datetime | None) -> date:
    """The day that was chosen, or today where the county is."""
    return chosen.date() if chosen else datetime.now(ZoneInfo("Asia/Shanghai")).date()


def read_base(content: Path) -> KnowledgeBase:
    """The knowledge base, or an end with what is wrong with it."""
    try:
        return load(content)
    except ContentError as error:
        raise refused(error) from error


def refused(error: Exception) -> typer.Exit:
    """Say what is wrong; the exit to raise."""
    err.print(str(error), markup=False, style="red")
    return typer.Exit(2)


def read_place(file: Path | None, base: KnowledgeBase) -> Locality:
    """The county's own facts, or an end with what is wrong with them."""
    try:
        return read_locality(file, base.places) if file else base.nowhere
    except LocalityError as error:
        raise refused(error) from error
