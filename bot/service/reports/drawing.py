"""Native charts for Word: a chart part with its numbers in a workbook of its own, so that it can be edited."""

from __future__ import annotations

from io import BytesIO
from xml.sax.saxutils import escape

import xlsxwriter
from docx.document import Document
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.shared import Cm
from docx.text.paragraph import Paragraph

from bot.service.reports.parts import Chart

_WIDE, _HIGH = Cm(15.2), Cm(7.2)
_BAR_HIGH = Cm(0.9)
_COLOURS = ("9AA7B8", "067A3E")
_NAMES = (
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_FONT = '<a:latin typeface="Times New Roman"/><a:ea typeface="仿宋_GB2312"/>'
_TEXT = f'<c:txPr><a:bodyPr/><a:p><a:pPr><a:defRPr sz="1000">{_FONT}</a:defRPr></a:pPr><a:endParaRPr lang="zh-CN"/></a:p></c:txPr>'

_VALUES = (
    f'<c:dLbls><c:numFmt formatCode="{{form}}" sourceLinked="0"/>{_TEXT}<c:showLegendKey val="0"/><c:showVal val="1"/>'
    '<c:showCatName val="0"/><c:showSerName val="0"/><c:showPercent val="0"/><c:showBubbleSize val="0"/></c:dLbls>'
)
# More pairs of columns than this have no room for their numbers.
_ROOMY = 6


def add_chart(document: Document, paragraph: Paragraph, chart: Chart, number: int) -> None:
    """Put a chart into a paragraph."""
    package = document.part.package
    sheet = Part(
        PackURI(f"/word/embeddings/Microsoft_Excel_Sheet{number}.xlsx"),
        CONTENT_TYPE.SML_SHEET,
        workbook(chart),
        package,
    )
    part = Part(PackURI(f"/word/charts/chart{number}.xml"), CONTENT_TYPE.DML_CHART, b"", package)
    embedded = part.relate_to(sheet, RELATIONSHIP_TYPE.PACKAGE)
    part._blob = chart_xml(chart, embedded).encode()  # noqa: SLF001 - its text names a relation it must have first
    link = document.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
    high = _HIGH if chart.kind == "column" else Cm(2) + _BAR_HIGH * len(chart.labels)
    inline = (
        '<w:drawing xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
        f"{_NAMES}>"
        f'<wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{_WIDE}" cy="{high}"/>'
        f'<wp:docPr id="{100 + number}" name="图{number}" descr="{escape(chart.caption)}"/><wp:cNvGraphicFramePr/>'
        '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/chart">'
        f'<c:chart r:id="{link}"/></a:graphicData></a:graphic></wp:inline></w:drawing>'
    )
    paragraph.add_run()._r.append(parse_xml(inline))  # noqa: SLF001 - python-docx has no charts of its own


def workbook(chart: Chart) -> bytes:
    """The chart's numbers as a spreadsheet: labels in the first column, a series in each further one."""
    made = BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Sheet1")
        sheet.write_column(1, 0, chart.labels)
        for column, series in enumerate(chart.series, 1):
            sheet.write_string(0, column, series.name)
            sheet.write_column(1, column, series.values)
    return made.getvalue()


def chart_xml(chart: Chart, embedded: str) -> str:
    """The chart part: everything it shows is in its caches, too."""
    lying = chart.kind == "bar"
    series = "".join(_series(chart, number) for number in range(len(chart.series)))
    legend = f'<c:legend><c:legendPos val="b"/><c:overlay val="0"/>{_TEXT}</c:legend>' if len(chart.series) > 1 else ""
    # Lying bars are drawn from below: turned round, the first label stands on top as in the table.
    turned = (
        '<c:scaling><c:orientation val="maxMin"/></c:scaling>'
        if lying
        else '<c:scaling><c:orientation val="minMax"/></c:scaling>'
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f"<c:chartSpace {_NAMES}>"
        '<c:roundedCorners val="0"/><c:chart><c:autoTitleDeleted val="1"/><c:plotArea><c:layout/>'
        f'<c:barChart><c:barDir val="{"bar" if lying else "col"}"/><c:grouping val="clustered"/><c:varyColors val="0"/>{series}'
        '<c:gapWidth val="60"/><c:axId val="1001"/><c:axId val="1002"/></c:barChart>'
        f'<c:catAx><c:axId val="1001"/>{turned}<c:delete val="0"/><c:axPos val="{"l" if lying else "b"}"/>'
        '<c:numFmt formatCode="General" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/>'
        f'<c:tickLblPos val="nextTo"/>{_TEXT}<c:crossAx val="1002"/><c:crosses val="autoZero"/></c:catAx>'
        f'<c:valAx><c:axId val="1002"/><c:scaling><c:orientation val="minMax"/>{_most(chart)}<c:min val="0"/></c:scaling>'
        f'<c:delete val="{int(lying)}"/><c:axPos val="{"b" if lying else "l"}"/>'
        f'<c:numFmt formatCode="{chart.form}" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/>'
        f'<c:tickLblPos val="nextTo"/>{_TEXT}<c:crossAx val="1001"/><c:crosses val="autoZero"/></c:valAx>'
        f'</c:plotArea>{legend}<c:plotVisOnly val="1"/></c:chart>'
        f'<c:externalData r:id="{embedded}"><c:autoUpdate val="0"/></c:externalData></c:chartSpace>'
    )


def _most(chart: Chart) -> str:
    return '<c:max val="1.1"/>' if chart.form.endswith("%") else ""


def _series(chart: Chart, number: int) -> str:
    series, column, last = chart.series[number], "BCDEF"[number], len(chart.labels) + 1
    colour = _COLOURS[number] if len(chart.series) > 1 else _COLOURS[1]
    labels = "".join(f'<c:pt idx="{i}"><c:v>{escape(one)}</c:v></c:pt>' for i, one in enumerate(chart.labels))
    values = "".join(f'<c:pt idx="{i}"><c:v>{one}</c:v></c:pt>' for i, one in enumerate(series.values))
    crowded = len(chart.series) > 1 and len(chart.labels) > _ROOMY
    shown = "" if crowded else _VALUES.format(form=chart.form)
    return (
        f'<c:ser><c:idx val="{number}"/><c:order val="{number}"/>'
        f'<c:tx><c:strRef><c:f>Sheet1!${column}$1</c:f><c:strCache><c:ptCount val="1"/><c:pt idx="0"><c:v>{escape(series.name)}'
        "</c:v></c:pt></c:strCache></c:strRef></c:tx>"
        f'<c:spPr><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill></c:spPr><c:invertIfNegative val="0"/>{shown}'
        f"<c:cat><c:strRef><c:f>Sheet1!$A$2:$A${last}</c:f><c:strCache>"
        f'<c:ptCount val="{len(chart.labels)}"/>{labels}</c:strCache></c:strRef></c:cat>'
        f"<c:val><c:numRef><c:f>Sheet1!${column}$2:${column}${last}</c:f><c:numCache><c:formatCode>{chart.form}</c:formatCode>"
        f'<c:ptCount val="{len(chart.labels)}"/>{values}</c:numCache></c:numRef></c:val></c:ser>'
    )
