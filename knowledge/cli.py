"""`python -m knowledge`: check, search and show the knowledge base."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from knowledge import check as checks
from knowledge import reply
from knowledge.load import CONTENT, ContentError, load

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
out = Console(highlight=False, soft_wrap=True)

ContentOption = Annotated[Path, typer.Option("--content", help="folder of the content files")]


@app.command()
def check(
    file: Annotated[list[Path] | None, typer.Option(help="check only these files (against the whole base)")] = None,
    notes: Annotated[bool, typer.Option(help="list things to look at, too, not only faults")] = False,
    content: ContentOption = CONTENT,
) -> None:
    """Check schema, citations, lengths and wordings; exit 1 if anything is wrong."""
    problems: list[ContentError] = []
    base = load(content, problems)
    chosen = {path.resolve().relative_to(content.resolve()).as_posix() for path in file or ()}
    entries = [entry for entry in base.entries.values() if not chosen or entry.source in chosen]
    found = checks.check(base, entries, date.today())  # noqa: DTZ011 - the editor's own day
    lines = [str(problem) for problem in problems if not chosen or str(problem).startswith(tuple(chosen))]
    lines += [str(finding) for finding in found if finding.fatal]
    hints = [str(finding) for finding in found if not finding.fatal]
    for line in [*lines, *(hints if notes else ())]:
        out.print(line, markup=False)
    out.print(f"{len(entries)} entries checked, {len(lines)} faults, {len(hints)} notes")
    raise typer.Exit(1 if lines else 0)


@app.command()
def show(entry_id: Annotated[str, typer.Argument(help="id of an entry")], content: ContentOption = CONTENT) -> None:
    """Print an entry as a citizen reads it, and its data."""
    base = load(content)
    entry = base.entries.get(entry_id)
    if entry is None:
        out.print(f"no entry {entry_id}")
        raise typer.Exit(1)
    out.print(reply.answer(entry, base, base.nowhere, date.today()).visible, markup=False)  # noqa: DTZ011
