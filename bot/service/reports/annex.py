"""The Excel annex: a sheet for each breakdown, sums as formulas, every number as a number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_range

from bot.service.figures import tables as layout
from bot.service.figures.findings import Findings
from bot.service.figures.tables import Table, share
from bot.service.reports.word import DEMO

_FORMS = {"count": "#,##0", "share": "0.0%", "change": "+0.0%;-0.0%;0.0%"}


def annex(found: Findings) -> bytes:
    """The .xlsx file."""
    made = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(made, options) as book:
        book.set_properties(
            {"title": f"{found.period.name}公共法律服务咨询数据", "comments": DEMO if found.demo else ""}
        )
        pages = _Pages(book, found)
        pages.overview()
        if found.tasks:
            pages.tasks()
        for table in layout.tables(found):
            pages.breakdown(table)
        pages.ends()
        pages.hours()
    return made.getvalue()


class _Pages:
    """The sheets of a workbook under way."""

    def __init__(self, book: Any, found: Findings) -> None:
        self._book = book
        self._found = found
        self._head = book.add_format({"bold": True, "bg_color": "#E8EFEA", "border": 1, "align": "center"})
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._text = book.add_format({"border": 1})
        self._forms = {name: book.add_format({"num_format": form, "border": 1}) for name, form in _FORMS.items()}
        self._sums = {
            name: book.add_format({"num_format": form, "border": 1, "bold": True}) for name, form in _FORMS.items()
        }
        self._bold = book.add_format({"border": 1, "bold": True})

    def overview(self) -> None:
        """The figures everybody asks for first, now and a year before."""
        sheet = self._sheet("总览", ("指标", "本期", "上年同期"))
        found = self._found
        now, before = found.now.total, found.before.total
        rows: list[tuple[str, float | None, float | None, str]] = [
            ("咨询人次", now.consultations, before.consultations, "count"),
            ("咨询群众（人）", found.now.citizens, found.before.citizens, "count"),
            ("办结件数", now.services, before.services, "count"),
            ("转人工人次", now.handed, before.handed, "count"),
            ("急件人次", now.urgent, before.urgent, "count"),
            ("首问答复人次", now.first_answered, before.first_answered, "count"),
            ("评价人次", now.rated, before.rated, "count"),
            ("满意人次", now.satisfied, before.satisfied, "count"),
            (
                "首问答复率",
                share(now.first_answered, now.consultations),
                share(before.first_answered, before.consultations),
                "share",
            ),
            ("转人工率", share(now.handed, now.consultations), share(before.handed, before.consultations), "share"),
            ("满意率", share(now.satisfied, now.rated), share(before.satisfied, before.rated), "share"),
            ("等律师中位（秒）", _seconds(found.handed.median), _seconds(found.handed_before.median), "count"),
        ]
        for line, (name, this, last, form) in enumerate(rows, 2):
            sheet.write_string(line, 0, name, self._text)
            self._number(sheet, line, 1, this, self._forms[form])
            self._number(sheet, line, 2, last, self._forms[form])

    def tasks(self) -> None:
        """The yearly tasks. No sum: the county's task is not that of its places together."""
        sheet = self._sheet("年度任务", ("地方", "年度任务", f"到{self._found.period.last}完成", "完成率"))
        for line, task in enumerate(self._found.tasks, 2):
            sheet.write_string(line, 0, task.place or "全县", self._text)
            sheet.write_number(line, 1, task.target, self._forms["count"])
            sheet.write_number(line, 2, task.done, self._forms["count"])
            sheet.write_formula(line, 3, f"=C{line + 1}/B{line + 1}", self._forms["share"], task.share)

    def breakdown(self, table: Table) -> None:
        """A breakdown with its sums."""
        sheet = self._sheet(table.title, ("", *(column.name for column in table.columns)))
        for line, row in enumerate(table.rows, 2):
            sheet.write_string(line, 0, row.label, self._text)
            for place, (value, column) in enumerate(zip(table.values(row), table.columns, strict=True), 1):
                self._number(sheet, line, place, value, self._forms[column.form])
        last = len(table.rows) + 2
        sheet.write_string(last, 0, "合计", self._bold)
        for place, (value, column) in enumerate(zip(table.values(table.total), table.columns, strict=True), 1):
            form = self._sums[column.form]
            if column.form == "count" and table.rows:
                sheet.write_formula(last, place, f"=SUM({xl_range(2, place, last - 1, place)})", form, value)
            else:
                self._number(sheet, last, place, value, form)

    def ends(self) -> None:
        """How asking for a person ended."""
        rows = layout.ends(self._found)
        sheet = self._sheet("转人工", ("结果", "人次", "上年同期"))
        for line, end in enumerate(rows, 2):
            sheet.write_string(line, 0, end.label, self._text)
            sheet.write_number(line, 1, end.now, self._forms["count"])
            sheet.write_number(line, 2, end.before, self._forms["count"])

    def hours(self) -> None:
        """When people ask."""
        sheet = self._sheet("每小时", ("", *(f"{hour}时" for hour in range(24))))
        for line, (name, row) in enumerate(zip(layout.WEEKDAYS, layout.load_of(self._found), strict=True), 2):
            sheet.write_string(line, 0, name, self._text)
            for place, value in enumerate(row, 1):
                sheet.write_number(line, place, value, self._forms["count"])

    def _sheet(self, name: str, head: Sequence[str]) -> Any:
        sheet = self._book.add_worksheet(name)
        mark = f"（{DEMO}）" if self._found.demo else ""
        sheet.write_string(0, 0, f"{self._found.county}{self._found.period.name}　{name}{mark}", self._title)
        for place, text in enumerate(head):
            sheet.write_string(1, place, text, self._head)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, max(len(head) - 1, 1), 7 if len(head) > 20 else 11)  # noqa: PLR2004 - the hours are many
        sheet.freeze_panes(2, 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        return sheet

    @staticmethod
    def _number(sheet: Any, line: int, place: int, value: float | None, form: Any) -> None:
        if value is None:
            sheet.write_string(line, place, "—", form)
        else:
            sheet.write_number(line, place, value, form)


def _seconds(wait: timedelta | None) -> float | None:
    return None if wait is None else round(wait.total_seconds())
