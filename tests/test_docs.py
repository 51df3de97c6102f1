"""The README tells the truth: its commands, files and settings exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.commands.cli import app as bot
from knowledge.cli import app as knowledge

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_make_target_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert {"run", "test", "check", "bench"} <= named <= targets


def test_every_command_named_is_there() -> None:
    for program, app in (("bot", bot), ("knowledge", knowledge)):
        printed = CliRunner().invoke(app, ["--help"]).stdout
        named = set(re.findall(rf"-m {program} ([a-z]+)", README))
        assert named
        for command in named:
            assert re.search(rf"\b{command}\b", printed), command


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", README))
def test_every_file_linked_is_there(link: str) -> None:
    assert (ROOT / link).exists()


def test_every_path_in_the_table_is_there() -> None:
    paths = re.findall(r"`((?:bot|knowledge|tests|deploy)/[\w./]*)`", README)
    assert len(paths) >= 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_no_committed_file_names_a_registry_or_this_machine() -> None:
    wrong = re.compile(r"https?://[\w.]*(?:pypi|pythonhosted|debian\.org|npmjs)|(?<![\w.])/(?:work|root|farm)/")
    files = [
        *ROOT.glob("*.*"),
        ROOT / "Makefile",
        *ROOT.glob("locks/*"),
        *ROOT.glob("tools/*"),
        *ROOT.glob("deploy/**/*"),
    ]
    for path in files:
        if path.is_file() and path.suffix != ".png":
            assert not wrong.search(path.read_text(encoding="utf-8")), path
