"""A report as a Word document, set like a public notice (GB/T 9704: A4, 小标宋 title, 仿宋 三号 text, 28 pt lines)."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO

from docx import Document
from docx.document import Document as Doc
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_COLOR_INDEX, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph as Line
from docx.text.run import Run

from bot.service.reports.drawing import add_chart
from bot.service.reports.parts import BLANK, Blank, Chart, Paragraph, Report, Section, Sheet

DEMO = "演示数据，不是真实记录"
TITLE, TEXT, HEADING, LEAD = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312"
# What stands in where a machine lacks the official faces.
_INSTEAD = {TITLE: "宋体", TEXT: "仿宋", LEAD: "楷体"}
_LATIN = "Times New Roman"
_BIG, _BODY, _SMALL = Pt(22), Pt(16), Pt(12)
_LINE = Pt(28)


def document(report: Report) -> bytes:
    """The .docx file."""
    doc = Document()
    _prepare(doc, report)
    if report.demo:
        _run(_line(doc, align=WD_ALIGN_PARAGRAPH.CENTER), DEMO, HEADING).font.highlight_color = WD_COLOR_INDEX.YELLOW
    title = _line(doc, align=WD_ALIGN_PARAGRAPH.CENTER, spacing=Pt(36))
    _run(title, "\n".join(report.title), TITLE, _BIG)
    _line(doc)
    _paragraph(doc, report.opening)
    charts = 0
    for section in report.sections:
        charts = _section(doc, section, charts)
    # The signature never stands alone on a page.
    doc.paragraphs[-1].paragraph_format.keep_with_next = True
    _sign(doc, report.signed, report.day)
    made = BytesIO()
    doc.save(made)
    return made.getvalue()


def _prepare(doc: Doc, report: Report) -> None:
    page = doc.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.top_margin, page.bottom_margin, page.left_margin, page.right_margin = Cm(3.7), Cm(3.5), Cm(2.8), Cm(2.6)
    page.footer_distance = Cm(2.5)
    normal = doc.styles["Normal"]
    normal.font.name, normal.font.size = _LATIN, _BODY
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), TEXT)
    _substitute_fonts(doc)
    properties = doc.core_properties
    properties.title, properties.author, properties.comments = (
        "".join(report.title),
        report.signed,
        DEMO if report.demo else "",
    )
    footer = page.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(footer, "— ", TEXT, Pt(14))
    _page_number(_run(footer, "", TEXT, Pt(14)))
    _run(footer, " —", TEXT, Pt(14))
    if report.demo:
        header = page.header.paragraphs[0]
        header.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _run(header, DEMO, HEADING, _SMALL)


def _substitute_fonts(doc: Doc) -> None:
    """Name the usual faces beside the official ones, which not every machine has."""
    for part in doc.part.package.iter_parts():
        if str(part.partname) == "/word/fontTable.xml":
            named = "".join(
                f'<w:font w:name="{name}"><w:altName w:val="{other}"/></w:font>' for name, other in _INSTEAD.items()
            )
            part._blob = re.sub(rb"</w:fonts>", named.encode() + b"</w:fonts>", part.blob)  # noqa: SLF001 - a plain part


def _section(doc: Doc, section: Section, charts: int) -> int:
    _run(_line(doc, indent=True, keep=True), section.heading, HEADING)
    for one in section.body:
        if isinstance(one, Paragraph):
            _paragraph(doc, one)
        elif isinstance(one, Sheet):
            _table(doc, one)
        else:
            charts += 1
            _chart(doc, one, charts)
    return charts


def _paragraph(doc: Doc, paragraph: Paragraph) -> None:
    line = _line(doc, indent=True)
    if paragraph.lead:
        _run(line, paragraph.lead, LEAD)
    for word in paragraph.words:
        if isinstance(word, Blank):
            _run(line, BLANK, TEXT).font.highlight_color = WD_COLOR_INDEX.YELLOW
        else:
            _run(line, word, TEXT)


def _table(doc: Doc, sheet: Sheet) -> None:
    caption = _line(doc, align=WD_ALIGN_PARAGRAPH.CENTER, keep=True)
    _run(caption, sheet.caption, HEADING, Pt(14))
    table = doc.add_table(rows=0, cols=len(sheet.head))
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for number, cells in enumerate((sheet.head, *sheet.rows)):
        row = table.add_row()
        row.height, row.height_rule = Cm(0.75), WD_ROW_HEIGHT_RULE.AT_LEAST
        _whole(row._tr.get_or_add_trPr(), repeat=number == 0)  # noqa: SLF001 - python-docx knows no such setting
        for column, text in enumerate(cells):
            _cell(row.cells[column], text, bold=number in {0, len(sheet.rows)}, number=column > 0 and number > 0)
    _line(doc, spacing=Pt(14))


def _whole(properties: object, *, repeat: bool) -> None:
    """A row stays on one page; the first stands again on every page."""
    for name in ("w:cantSplit", *(("w:tblHeader",) if repeat else ())):
        properties.append(OxmlElement(name))  # type: ignore[attr-defined]


def _cell(cell: _Cell, text: str, *, bold: bool, number: bool) -> None:
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    line = cell.paragraphs[0]
    line.alignment = WD_ALIGN_PARAGRAPH.RIGHT if number else WD_ALIGN_PARAGRAPH.CENTER
    _run(line, text, TEXT, _SMALL).bold = bold


def _chart(doc: Doc, chart: Chart, number: int) -> None:
    line = doc.add_paragraph()
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    line.paragraph_format.space_after = Pt(0)
    line.paragraph_format.keep_with_next = True
    add_chart(doc, line, chart, number)
    _run(_line(doc, align=WD_ALIGN_PARAGRAPH.CENTER), chart.caption, HEADING, Pt(14))


def _sign(doc: Doc, signed: str, day: date) -> None:
    _line(doc, keep=True)
    for text, right in ((signed, 2), (f"{day.year}年{day.month}月{day.day}日", 4)):
        line = _line(doc, align=WD_ALIGN_PARAGRAPH.RIGHT, keep=right == 2)  # noqa: PLR2004 - the first of the two
        line.paragraph_format.right_indent = _BODY * right
        _run(line, text, TEXT)


def _line(
    doc: Doc,
    *,
    align: WD_ALIGN_PARAGRAPH | None = None,
    indent: bool = False,
    keep: bool = False,
    spacing: Pt = _LINE,
) -> Line:
    line = doc.add_paragraph()
    form = line.paragraph_format
    form.space_before = form.space_after = Pt(0)
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, spacing
    form.keep_with_next = keep
    if indent:
        form.first_line_indent = _BODY * 2
    if align is not None:
        line.alignment = align
    return line


def _run(line: Line, text: str, face: str, size: Pt = _BODY) -> Run:
    run = line.add_run(text)
    run.font.name, run.font.size = _LATIN, size
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)  # noqa: SLF001 - no other way to it
    return run


def _page_number(run: Run) -> None:
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._r.append(element)  # noqa: SLF001 - python-docx has no fields
