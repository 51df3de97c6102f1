"""Commands for maintainers: learn search and the ear for danger anew, and measure them."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from knowledge.cache import default_folder
from knowledge.commands import ContentOption, DayOption, day_of, err, out, read_base
from knowledge.danger import learn as learning
from knowledge.danger.ear import rules
from knowledge.danger.net import Pieces
from knowledge.load import CONTENT
from knowledge.search import evaluate, meaning
from knowledge.search.examples import read_examples
from knowledge.search.fit import Judged, cross_validate
from knowledge.search.fit import fit as fit_mixer
from knowledge.search.mixer import WEIGHTS, WORDS_WEIGHTS, load_mixer
from knowledge.search.rank import searcher
from knowledge.search.rehearsal import Course, Prepared, course, rehearse, rehearse_words, spoken

QuestionsArgument = Annotated[
    Path, typer.Argument(help="JSON lines {id, question}: the real questions that labels.tsv names")
]


def _rehearsed(questions: Path, content: Path, day: date) -> tuple[Course, list[Prepared]]:
    base = read_base(content)
    whole = course(base, read_examples(questions, base.entries))
    kept = (default_folder() or Path(tempfile.gettempdir())) / "folds"
    return whole, rehearse(whole, load_mixer(), day, kept, lambda told: err.print(told, style="dim"))


def danger(
    questions: Annotated[
        Path, typer.Argument(help="JSON lines {id, question}: real questions, nearly none of them about danger")
    ],
    write: Annotated[bool, typer.Option(help="write the new weights; otherwise only measure")] = False,
    content: ContentOption = CONTENT,
) -> None:
    """Learn how danger sounds from the phrases in knowledge/danger, and report cross-validated figures."""
    known = rules()
    net, measured = learning.fit(Pieces.of(known.words), learning.read_examples(read_base(content), known, questions))
    for name, value in measured.items():
        out.print(f"{name:28} {value:.4g}")
    if write:
        learning.write(net)
        out.print("wrote knowledge/danger/weights.json")


def fit(
    questions: QuestionsArgument,
    write: Annotated[bool, typer.Option(help="write vectors and weights; otherwise only measure")] = False,
    day: DayOption = None,
    content: ContentOption = CONTENT,
) -> None:
    """Learn vectors and mixer from labelled real questions, and report cross-validated figures; takes some minutes."""
    whole, rows = _rehearsed(questions, content, day_of(day))
    old = load_mixer()
    _print_figures(cross_validate(rows, old))
    by_words = rehearse_words(whole, old, day_of(day))
    _print_figures(cross_validate(by_words, old), "by words alone: ")
    if write:
        err.print("all folds together", style="dim")
        meaning.write(meaning.only(whole.learner().learn(), spoken(whole.base)))
        for path, learned in ((WEIGHTS, rows), (WORDS_WEIGHTS, by_words)):
            path.write_bytes(msgspec.json.format(msgspec.json.encode(fit_mixer(learned, old))) + b"\n")
        out.print(f"wrote {meaning.VECTORS.name}, {WEIGHTS.name} and {WORDS_WEIGHTS.name}")
        err.print("the ear for danger goes by the vectors, too: now run `danger --write`")


def evaluation(
    questions: QuestionsArgument,
    wrong: Annotated[
        Path | None, typer.Option("--errors", help="write wrong first candidates here, surest first")
    ] = None,
    confused: Annotated[
        Path | None, typer.Option("--confusions", help="write here which entry is taken for which")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="write the reliability plot here, as SVG")] = None,
    beside: Annotated[bool, typer.Option("--beside/--alone", help="measure plainer methods, too")] = True,
    day: DayOption = None,
    content: ContentOption = CONTENT,
) -> None:
    """Measure search on labelled real questions, each by what never saw it; changes nothing."""
    when = day_of(day)
    whole, rows = _rehearsed(questions, content, when)
    judged = cross_validate(rows, load_mixer())
    _print_figures(judged)
    _print_tables(judged)
    _print_figures(cross_validate(rehearse_words(whole, load_mixer(), when), load_mixer()), "by words alone: ")
    if wrong:
        lines = ["\t".join(row) for row in evaluate.errors(judged)]
        wrong.write_text("\n".join(["question\tverdict\tconfidence\ttaken\tright\ttext", *lines, ""]), encoding="utf-8")
    if confused:
        pairs = [f"{often}\t{right}\t{taken}" for often, right, taken in evaluate.confusions(judged)]
        confused.write_text("\n".join(["times\tright\ttaken", *pairs, ""]), encoding="utf-8")
    if plot:
        told = [(one.right, evaluate.rank(one) == 1) for one in judged if one.example.right is not None]
        plot.write_text(evaluate.plot(evaluate.reliability(told)), encoding="utf-8")
    if beside:
        barred = [name for name, entry in whole.base.entries.items() if not whole.base.servable(entry, when)]
        for name, (first, five, count) in evaluate.plainer(whole.base, whole.examples, barred).items():
            out.print(f"{name:36} hit@1 {first}  hit@5 {five}  ({count} questions)")
    look = searcher(whole.base, load_mixer())
    texts = [one.text for one in whole.examples]
    middle, slow, mean = evaluate.timed(lambda text: look(text, when), texts)
    out.print(f"one search: median {middle:.2f} ms, 99 in 100 under {slow:.2f} ms, mean {mean:.2f} ms")


def _print_figures(judged: list[Judged], kind: str = "") -> None:
    for name, value in evaluate.report(judged).items():
        out.print(f"{kind}{name:36} {value}")


def _print_tables(judged: list[Judged]) -> None:
    groups = {"source": lambda one: one.source, "category": lambda one: min(one.right or "?").rpartition(".")[0]}
    for name, group in groups.items():
        table = Table(name, "questions", "hit@1", "hit@3", "answered", "right")
        for row in evaluate.table(judged, group):
            table.add_row(*map(str, row))
        out.print(table)
