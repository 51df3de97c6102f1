"""`knowledge export` and `import`: from one county's store to files to another's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from typer.testing import CliRunner

from bot.commands.cli import app
from bot.ids import utc_now, uuid7
from bot.service import county, editions
from bot.service.staff import Member, member
from bot.store.database import Database
from bot.store.migrate import migrate
from knowledge.entry import Entry
from knowledge.load import KnowledgeBase, fingerprint
from knowledge.overlay import overlaid
from tests.console.office import hire

ROOT = Path(__file__).parents[1]
WAGES, DEPOSIT, DIVORCE = "labour.unpaid-wages", "lease.deposit", "marriage.divorce-overview"


class County:
    """A store with a clerk and a lawyer."""

    def __init__(self, folder: Path, name: str, lawyer: str = "li") -> None:
        self.url = f"sqlite:///{folder}/{name}.db"
        store = Database(self.url)
        migrate(store.engine)
        store.close()
        self.engine = sa.create_engine(self.url)
        for login, role in (("wang", "staff"), (lawyer, "lawyer")):
            hire(self.engine, login, utc_now, role=role)  # type: ignore[arg-type]

    def run(self, *arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["knowledge", *arguments], env={"FAWEN_DATABASE_URL": self.url})
        return result.exit_code, result.output

    def served(self, base: KnowledgeBase) -> dict[str, Entry]:
        with self.engine.connect() as conn:
            return overlaid(base, county.overlay(conn, utc_now())).entries


def who(conn: sa.Connection, login: str) -> Member:
    found = member(conn, f"staff-{login}")
    assert found is not None
    return found


@pytest.fixture
def here(tmp_path: Path, base: KnowledgeBase) -> County:
    """A county with a text, a question, a confirmation, a retired entry and something that is not its business."""
    made, now = County(tmp_path, "here"), utc_now()
    entry = base.entries[WAGES]
    own = replace(entry, answer=entry.answer.replace("仲裁不收费", "仲裁一分钱不收"))
    own = replace(own, version=fingerprint(own))
    with made.engine.begin() as conn:
        wang, li = who(conn, "wang"), who(conn, "li")
        editions.publish(conn, uuid7, WAGES, own, wang, now, based_on=entry.version)
        county.read(conn, uuid7, own, li, now, version=own.version)
        county.attach(conn, uuid7, "窑上的工钱一毛没见着", WAGES, wang, now)
        county.attach(conn, uuid7, "今天吃什么", "", wang, now)
        county.read(conn, uuid7, base.entries[DEPOSIT], li, now, version=base.entries[DEPOSIT].version, retire=True)
        county.read(conn, uuid7, base.entries[DIVORCE], li, now, version=base.entries[DIVORCE].version)
    return made


def test_another_county_serves_the_same_after_export_and_import(
    here: County, tmp_path: Path, base: KnowledgeBase
) -> None:
    there, files = County(tmp_path, "there"), tmp_path / "files"
    assert here.run("export", "--to", str(files)) == (0, "写好了：2条，停用1条，不归我们管的1句\n")
    assert there.run("import", str(files), "--as", "wang")[1].startswith(
        "收下了：1条新文字，2句群众问法，2条律师确认，停用1条"
    )
    served = there.served(base)
    assert served == here.served(base)
    assert served[WAGES].confirmed is not None
    assert "一分钱不收" in served[WAGES].answer
    assert DEPOSIT not in served
    again = there.run("import", str(files), "--as", "wang")
    assert again == (0, "收下了：0条新文字，0句群众问法，0条律师确认，停用0条\n")


def test_nobodys_reading_is_taken_for_anothers(here: County, tmp_path: Path, base: KnowledgeBase) -> None:
    there, files = County(tmp_path, "there", lawyer="zhao"), tmp_path / "files"
    here.run("export", "--to", str(files))
    status, said = there.run("import", str(files), "--as", "wang")
    assert status == 0
    assert "没有叫“li律师”的律师" in said
    assert there.served(base)[WAGES].confirmed is None


def test_what_does_not_hold_is_not_taken_in(here: County, tmp_path: Path, base: KnowledgeBase) -> None:
    there, files = County(tmp_path, "there"), tmp_path / "files"
    here.run("export", "--to", str(files))
    assert here.run("export", "--to", str(files))[0] == 2
    assert there.run("import", str(files), "--as", "nobody")[0] == 2
    path = files / "legal" / "labour.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("劳动合同法第三十条", "劳动合同法第九百条"), "utf-8")
    status, said = there.run("import", str(files), "--as", "wang")
    assert status == 2
    assert "第九百条" in said
    assert there.served(base) == base.entries


def test_the_knowledge_command_passes_both_on(here: County, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "knowledge", *arguments]
        environment = os.environ | {"FAWEN_DATABASE_URL": here.url}
        return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "写好了" in run("export", "--to", str(tmp_path / "out"))
    assert list((tmp_path / "out").rglob("*.yaml"))
    assert "收下了" in run("import", str(tmp_path / "out"), "--as", "wang")
    assert "--as" in run("import", "--help")
