"""`python -m knowledge`: check, search, show and measure the knowledge base."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from knowledge import check as checks
from knowledge import maintain, reply
from knowledge.cache import cached
from knowledge.commands import (
    ContentOption,
    DayOption,
    LocalityOption,
    day_of,
    err,
    out,
    read_base,
    read_place,
    refused,
)
from knowledge.contradictions import contradictions as differing
from knowledge.contradictions import read_settled, stale
from knowledge.entry import KIND_NAMES, Entry
from knowledge.load import CONTENT, ContentError, KnowledgeBase, load
from knowledge.places import Locality
from knowledge.search.index import Concepts
from knowledge.search.mixer import load_mixer
from knowledge.search.rank import Result, Search, searcher
from knowledge.search.several import find
from knowledge.search.why import why
from knowledge.stats import counts, readability
from knowledge.stats import coverage as covered

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)


@app.command()
def check(
    file: Annotated[list[Path] | None, typer.Option(help="check only these files (against the whole base)")] = None,
    notes: Annotated[bool, typer.Option(help="list things to look at, too, not only faults")] = False,
    unverified: Annotated[bool, typer.Option(help="list the citations a lawyer must confirm")] = False,
    contradictions: Annotated[
        bool, typer.Option(help="list figures that differ for the same thing and are not settled")
    ] = False,
    day: DayOption = None,
    content: ContentOption = CONTENT,
) -> None:
    """Check schema, citations, lengths and wordings; exit 1 if anything is wrong."""
    if contradictions:
        _list_contradictions(content)
        return
    problems: list[ContentError] = []
    base = load(content, problems)
    chosen = {path.resolve().relative_to(content.resolve()).as_posix() for path in file or ()}
    entries = [entry for entry in base.entries.values() if not chosen or entry.source in chosen]
    if unverified:
        _list_unverified(entries)
        return
    found = checks.check(base, entries, day_of(day), searcher(base, load_mixer()))
    lines = [str(problem) for problem in problems if not chosen or str(problem).startswith(tuple(chosen))]
    lines += [str(finding) for finding in found if finding.fatal]
    hints = [str(finding) for finding in found if not finding.fatal]
    for line in [*lines, *(hints if notes else ())]:
        out.print(line, markup=False)
    out.print(f"{len(entries)} entries checked, {len(lines)} faults, {len(hints)} notes")
    raise typer.Exit(1 if lines else 0)


def _list_contradictions(content: Path) -> None:
    base = read_base(content)
    try:
        settled = read_settled(content)
    except ContentError as error:
        raise refused(error) from error
    entries = list(base.entries.values())
    work = differing(entries, settled)
    for subject, said in work:
        out.print(subject, markup=False)
        for one in said:
            out.print(f"  {one.figure}\t{one.entry}\t{one.words}", markup=False)
    for old in stale(entries, settled):
        out.print(f"no longer needed: {old.subject}\t{old.figure}", markup=False)
    out.print(f"{len(work)} subjects with figures that differ and are not settled")
    raise typer.Exit(1 if work else 0)


def _list_unverified(entries: list[Entry]) -> None:
    for entry in entries:
        for item in entry.unverified:
            out.print(f"{entry.id}\t{item.cite}\t{item.note}", markup=False)


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="what a citizen would type")] = "",
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="read {id, question} lines, write one JSON line for each")
    ] = False,
    reasons: Annotated[
        bool, typer.Option("--why", help="which wording, which words, which signals made each candidate one")
    ] = False,
    locality: LocalityOption = None,
    day: DayOption = None,
    content: ContentOption = CONTENT,
) -> None:
    """Show verdict, entry and confidence; with --jsonl, for programs."""
    try:
        base, tables = cached(content)
    except ContentError as error:
        raise refused(error) from error
    look = searcher(base, load_mixer(), tables=tables)
    place, when = read_place(locality, base), day_of(day)
    if jsonl:
        _search_lines(base, look, place, when)
    elif question.strip():
        result = find(look, question, when)
        _show_result(base, question, result, place, when)
        if reasons:
            _explain(base, question, result)
    else:
        err.print("give a question, or --jsonl and lines on standard input")
        raise typer.Exit(2)


def _search_lines(base: KnowledgeBase, look: Search, place: Locality, when: date) -> None:
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line)
            asked, question = row["id"], str(row["question"])
        except (msgspec.MsgspecError, KeyError, TypeError) as error:
            err.print(f"line {number}: needs an object with id and question ({error})", markup=False)
            raise typer.Exit(2) from error
        sys.stdout.write(
            msgspec.json.encode(_row(base, asked, question, find(look, question, when), place, when)).decode() + "\n"
        )
        sys.stdout.flush()


def _row(
    base: KnowledgeBase, asked: object, question: str, result: Result, place: Locality, when: date
) -> dict[str, Any]:
    return {
        "id": asked,
        "verdict": result.verdict,
        "entry": result.best.entry if result.best and result.verdict == "answer" else None,
        "confidence": result.confidence,
        "candidates": [{"entry": one.entry, "confidence": one.confidence} for one in result.candidates],
        "reply": reply.for_result(question, result, base, place, when).visible,
    }


def _show_result(base: KnowledgeBase, question: str, result: Result, place: Locality, when: date) -> None:
    out.print(f"verdict: {result.verdict}   confidence: {result.confidence:.2f}   ours: {result.ours:.2f}")
    table = Table("entry", "confidence", "nearest wording")
    for one in result.candidates:
        table.add_row(one.entry, f"{one.confidence:.2f}", one.wording)
    out.print(table)
    out.print(reply.for_result(question, result, base, place, when).visible, markup=False)


def _explain(base: KnowledgeBase, question: str, result: Result) -> None:
    for number, part in enumerate(result.parts, 1):
        found = f"{part.best.entry} {part.best.confidence:.2f}" if part.best else "-"
        out.print(f"part {number}: {part.words}  {part.verdict}  {found}", markup=False)
    for reason in why(question, result, load_mixer(), Concepts(base.lexicon)):
        out.print(f"{reason.entry}  {reason.confidence:.2f}", style="bold")
        out.print(str(reason), markup=False)
        out.print("  ".join(f"{name}={part:.2f}" for name, part in reason.parts), style="dim")


@app.command()
def show(
    entry_id: Annotated[str, typer.Argument(help="id of an entry")],
    as_json: Annotated[bool, typer.Option("--json", help="all fields, for programs")] = False,
    locality: LocalityOption = None,
    content: ContentOption = CONTENT,
) -> None:
    """Print an entry as a citizen reads it, or all its fields."""
    base = read_base(content)
    entry = base.entries.get(entry_id)
    if entry is None:
        err.print(f"no entry {entry_id}", markup=False)
        raise typer.Exit(1)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(_fields(entry))).decode() + "\n")
        return
    out.print(reply.answer(entry, base, read_place(locality, base), day_of(None)).visible, markup=False)
    if entry.more:
        out.print(f"\n—— 更多 ——\n{read_place(locality, base).fill(entry.more)}", markup=False)


def _fields(entry: Entry) -> dict[str, Any]:
    """All fields; `basis` lists every citation, whether its text could be opened or not."""
    fields: dict[str, Any] = msgspec.to_builtins(entry)
    return fields | {"basis": list(entry.citations)}


@app.command()
def stats(
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    coverage: Annotated[
        Path | None, typer.Option(help="JSON lines {id, question}: how many get an answer, choices, nothing")
    ] = None,
    readable: Annotated[bool, typer.Option("--readability", help="the entries that read worst, worst first")] = False,
    content: ContentOption = CONTENT,
) -> None:
    """Count entries by kind and category, wordings, citations, confirmations."""
    base = read_base(content)
    if coverage is not None:
        _cover(base, coverage)
        return
    if readable:
        _read_worst(base)
        return
    found = counts(base)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
        return
    out.print(f"{found['entries']} entries, {found['wordings']} wordings, {found['citations']} citations")
    out.print(
        f"{found['unverified_only']} rest on unverified citations alone, {found['confirmed']} confirmed by a lawyer"
    )
    table = Table("kind", "category", "entries")
    for kind, categories in found["by_category"].items():
        for category, number in categories.items():
            table.add_row(KIND_NAMES[kind], category, str(number))
    out.print(table)


def _cover(base: KnowledgeBase, questions: Path) -> None:
    lines = questions.read_text(encoding="utf-8").splitlines()
    found = covered(
        (msgspec.json.decode(line)["question"] for line in lines), searcher(base, load_mixer()), day_of(None)
    )
    for name, number in found.items():
        out.print(f"{name:10} {number:6} {number / max(found['questions'], 1):.1%}")


def _read_worst(base: KnowledgeBase) -> None:
    table = Table("entry", "longest sentence", "long sentences", "unexplained")
    for one in sorted(map(readability, base.entries.values()), key=lambda one: (-one.long, -one.longest)):
        if one.long or one.unexplained:
            table.add_row(one.entry, str(one.longest), str(one.long), " ".join(one.unexplained))
    out.print(table)


app.command()(maintain.danger)
app.command()(maintain.fit)
app.command(name="eval")(maintain.evaluation)

_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(name="export", context_settings=_PASSED_ON)
@app.command(name="import", context_settings=_PASSED_ON)
def exchange(context: typer.Context) -> None:
    """What the county changed, to files and from them: `python -m bot knowledge export | import`, which has the store."""
    command = [sys.executable, "-m", "bot", "knowledge", str(context.info_name), *context.args]
    os.execv(sys.executable, command)  # noqa: S606 - no shell, our own command
