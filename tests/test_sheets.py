"""Tables as files: nothing in them is a formula, and nothing is lost."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sheets import csv_file, defused, xlsx_file

EVIL = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1+1",
    "　=cmd|' /C calc'!A0",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "|x",
    "%0A=1",
]
FINE = ["", "工资", "138********", "1-2", "a=b", "（=）", "'=1", "“-”", "100%"]


@pytest.mark.parametrize("text", EVIL)
def test_what_might_be_calculated_gets_an_apostrophe(text: str) -> None:
    assert defused(text) == f"'{text}"
    assert defused(defused(text)) == defused(text)


@pytest.mark.parametrize("text", FINE)
def test_other_text_stays(text: str) -> None:
    assert defused(text) == text


@given(st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert not defused(text).strip(" 　\xa0").startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


def test_a_csv_file_opens_in_excel_as_chinese(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    with csv_file(file) as sheet:
        sheet.write(["说的话", "数"])
        sheet.write(['他说"不给",\n就走了', 3])
        for text in EVIL:
            sheet.write([text, -1])
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as read:
        rows = list(csv.reader(read))
    assert rows[:2] == [["说的话", "数"], ['他说"不给",\n就走了', "3"]]
    assert [row[0] for row in rows[2:]] == [f"'{text}" for text in EVIL]


def test_an_excel_file_holds_text_and_numbers_and_no_formula(tmp_path: Path) -> None:
    file, long = tmp_path / "a.xlsx", "长" * 40_000
    with xlsx_file(file, "咨询记录", [10, 500]) as sheet:
        sheet.write(["说的话", "数"])
        for text in (*EVIL, "https://example.com", "007", "坏\x01\x0b字", long):
            sheet.write([text, -1])
    found = openpyxl.load_workbook(file).active
    assert found is not None
    cells = list(found.iter_rows(values_only=False))
    assert {cell.data_type for row in cells for cell in row} <= {"s", "n", "inlineStr"}
    assert [row[0].value for row in cells[1:3]] == ["'=1+1", "'+1"]
    assert [row[0].value for row in cells[-4:-2]] == ["https://example.com", "007"]
    assert len(str(cells[-1][0].value)) == 32_000
    assert all(row[1].value == -1 for row in cells[1:])
    assert (found.freeze_panes, found.auto_filter.ref) == ("A2", f"A1:B{len(cells)}")
