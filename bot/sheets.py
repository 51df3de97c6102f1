"""Tables as files that a spreadsheet opens: rows in, bytes out, a row at a time. No cell is ever taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import xlsxwriter

Cell = str | int | float
# What a spreadsheet may take for the beginning of a formula or command, in either width, whatever blanks stand before it.
_RISKY = tuple("=+-@＝＋－＠\t\r\n|%")
_BLANKS = " \u3000\u00a0"
# More than a cell of Excel holds; the rest would be refused.
_LONGEST = 32_000
WIDEST, NARROWEST = 60, 8


class Sheet(Protocol):
    """Takes rows."""

    def write(self, row: Sequence[Cell]) -> None:
        """Append a row."""


def defused(text: str) -> str:
    """Text that a spreadsheet shows as it is: an apostrophe goes before what it might calculate."""
    return f"'{text}" if text.lstrip(_BLANKS).startswith(_RISKY) else text


@contextmanager
def csv_file(path: Path) -> Iterator[Sheet]:
    """A CSV file that Excel, too, reads as UTF-8."""
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        yield _Csv(out)


class _Csv:
    def __init__(self, out: io.TextIOBase) -> None:
        self._writer = csv.writer(out)

    def write(self, row: Sequence[Cell]) -> None:
        self._writer.writerow([_safe(cell) for cell in row])


@contextmanager
def xlsx_file(path: Path, name: str, widths: Sequence[int]) -> Iterator[Sheet]:
    """An Excel file with one sheet: first row bold and fixed, a filter over it; memory stays the same however long."""
    import xlsxwriter  # noqa: PLC0415 - large, and only the process that writes needs it

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(str(path), options)
    try:
        sheet = book.add_worksheet(name)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, min(max(width, NARROWEST), WIDEST))
        sheet.freeze_panes(1, 0)
        writer = _Xlsx(sheet, book.add_format({"bold": True}))
        yield writer
        sheet.autofilter(0, 0, max(writer.rows - 1, 0), len(widths) - 1)
    finally:
        book.close()


class _Xlsx:
    def __init__(self, sheet: xlsxwriter.worksheet.Worksheet, bold: xlsxwriter.format.Format) -> None:
        self._sheet = sheet
        self._bold = bold
        self.rows = 0

    def write(self, row: Sequence[Cell]) -> None:
        look = self._bold if self.rows == 0 else None
        for column, cell in enumerate(map(_safe, row)):
            if isinstance(cell, str):
                self._sheet.write_string(self.rows, column, cell, look)
            else:
                self._sheet.write_number(self.rows, column, cell)
        self.rows += 1


def _safe(cell: Cell) -> Cell:
    return defused(cell[:_LONGEST]) if isinstance(cell, str) else cell
