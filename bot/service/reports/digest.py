"""A department's digest as a workbook: what was asked, item by item. Words are text, never formulas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from io import BytesIO

import xlsxwriter

from bot.service.digests import Question
from bot.service.figures.period import Period
from bot.service.reports.word import DEMO

_HEAD = ("日期", "事项", "群众原话（已隐去个人信息）", "答复情况", "乡镇", "渠道")
_WIDTHS = (12, 36, 60, 10, 14, 8)


def workbook(department: str, period: Period, asked: Sequence[tuple[str, Question]], *, demo: bool) -> bytes:
    """The .xlsx file."""
    made = BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        title = book.add_format({"bold": True, "font_size": 14})
        head = book.add_format({"bold": True, "bg_color": "#E8EFEA", "border": 1})
        text = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
        name = f"{department}　{period.name}群众咨询{'（' + DEMO + '）' if demo else ''}"
        sheet = book.add_worksheet("群众咨询")
        sheet.write_string(0, 0, name, title)
        sheet.write_row(1, 0, _HEAD, head)
        for column, width in enumerate(_WIDTHS):
            sheet.set_column(column, column, width)
        for line, (item, one) in enumerate(asked, 2):
            cells = (one.day.isoformat(), item, one.words, one.outcome, one.township, one.channel)
            for column, cell in enumerate(cells):
                sheet.write_string(line, column, cell, text)
        sheet.freeze_panes(2, 0)
        counted = book.add_worksheet("按事项")
        counted.write_string(0, 0, name, title)
        counted.write_row(1, 0, ("事项", "人次"), head)
        counted.set_column(0, 0, 50)
        items = Counter(item for item, _ in asked).most_common()
        for line, (name_of_item, count) in enumerate(items, 2):
            counted.write_string(line, 0, name_of_item, text)
            counted.write_number(line, 1, count, text)
        counted.write_string(len(items) + 2, 0, "合计", head)
        counted.write_formula(len(items) + 2, 1, f"=SUM(B3:B{len(items) + 2})", head, len(asked))
    return made.getvalue()
