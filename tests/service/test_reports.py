"""The report in Word and its annex in Excel: every figure is that of SQL, read back from the files themselves."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest
from docx import Document
from openpyxl import load_workbook
from sqlalchemy import text

from bot.conversation.handoff.duty import USUAL
from bot.conversation.turn import Library
from bot.service.demo import write
from bot.service.demo.write import Wish
from bot.service.figures import tables as layout
from bot.service.figures import tasks
from bot.service.figures.findings import Findings, find
from bot.service.figures.period import Period, month_of, year_of
from bot.service.reports.annex import annex
from bot.service.reports.parts import BLANK
from bot.service.reports.story import report
from bot.service.reports.word import document
from bot.store.database import Database

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
DAY = date(2021, 1, 6)
# 2020 and 2019 in the county, begun at 16:00 UTC of the last day before.
YEAR = "opened_at >= 1577808000000 and opened_at < 1609430400000"
BEFORE = "opened_at >= 1546272000000 and opened_at < 1577808000000"


@pytest.fixture
async def filled(db: Database, library: Library) -> Database:
    """Two made-up years."""
    for year, count in ((2019, 250), (2020, 400)):
        wish = Wish(year, count, 3)
        await db.write(lambda conn, wish=wish: write.fill(conn, wish, library, USUAL, NOW))  # type: ignore[misc]
    return db


async def find_in(db: Database, period: Period) -> Findings:
    return await db.read(lambda conn: find(conn, period, "示例县"))


class Sql:
    """Counts, straight from the tables."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def __call__(self, where: str, of: str = YEAR) -> int:
        query = text(f"select count(*) from consultations where {of} and {where}")
        return int(await self.db.read(lambda conn: conn.execute(query).scalar_one()))


async def test_every_sentence_says_what_sql_says(filled: Database) -> None:
    sql = Sql(filled)
    words = read_back(document(report(await find_in(filled, year_of(2020)), DAY, "示例县司法局")))
    total, before = await sql("true"), await sql("true", BEFORE)
    citizens = await filled.read(
        lambda conn: conn.execute(
            text(f"select count(distinct citizen_id) from consultations where {YEAR}")
        ).scalar_one()
    )
    more = total - before
    assert (
        f"共接待群众咨询{total}人次，比上年同期增加{more}人次，增长{more / before:.1%}，服务群众{citizens}人。" in words
    )
    for kind, name in (("legal", "法律"), ("petition", "信访"), ("approval", "审批")):
        now = await sql(f"kind = '{kind}'")
        assert f"{name}咨询{now}人次（占{now / total:.1%}）" in words
        assert f"接待{name}咨询{now}人次" in words
    assert f"急件{await sql('urgent')}人次" in words
    first, was = await sql("first_outcome = 'answered'"), await sql("first_outcome = 'answered'", BEFORE)
    assert f"首问答复率{first / total:.1%}（上年同期{was / before:.1%}" in words
    assert f"转人工律师{await sql('handed')}人次，占{await sql('handed') / total:.1%}" in words
    served, target = await sql("service <> ''"), await target_of(filled)
    assert f"本期办结法律服务{served}件" in words
    assert f"2020年度任务{target}件，截至12月31日完成{served}件，完成率{served / target:.1%}" in words
    for service, name in (("legal_aid", "转法律援助"), ("mediation", "转人民调解"), ("petition", "转信访渠道")):
        done = await sql(f"service = '{service}'")
        assert f"{name}{done}件" in words
    for service, name in (("notary", "建议公证"), ("litigation", "建议诉讼"), ("drafting", "代书")):
        done = await sql(f"service = '{service}'")
        assert f"{name}{done}件" in words
    rated, content = await sql("grade > 0"), await sql("grade >= 3")
    assert f"群众评价{rated}人次，满意率{content / rated:.1%}" in words
    opened, closed = await amended(filled)
    assert f"不满意和非常不满意的{rated - content}人次，开展整改{opened}件，办结{closed}件。" in words
    for place in ("城关镇", "河东乡", "南岭镇", "示例乡"):
        rated, content = (
            await sql(f"grade > 0 and township = '{place}'"),
            await sql(f"grade >= 3 and township = '{place}'"),
        )
        assert not rated or f"{place}{content / rated:.1%}" in words


async def amended(db: Database) -> tuple[int, int]:
    of = f"consultation_id in (select id from consultations where {YEAR})"
    queries = [
        text(f"select count(*) from rectifications where {of} and {more}") for more in ("true", "closed_at is not null")
    ]
    opened, closed = [await db.read(lambda conn, query=query: conn.execute(query).scalar_one()) for query in queries]  # type: ignore[misc]
    return opened, closed


async def target_of(db: Database) -> int:
    query = text("select target from tasks where year = 2020 and place = ''")
    return int(await db.read(lambda conn: conn.execute(query).scalar_one()))


async def test_the_tables_of_the_document_are_those_of_sql(filled: Database) -> None:
    sql = Sql(filled)
    doc = Document(BytesIO(document(report(await find_in(filled, year_of(2020)), DAY, ""))))
    kinds, services, places = ([[cell.text for cell in row.cells] for row in table.rows] for table in doc.tables)
    assert kinds[0][:4] == ["", "人次", "上年同期", "同比"]
    names = {"法律": "legal", "信访": "petition", "审批": "approval", "未明确": ""}
    for row in kinds[1:-1]:
        where = f"kind = '{names[row[0]]}'"
        assert (int(row[1]), int(row[2])) == (await sql(where), await sql(where, BEFORE))
        assert int(row[4]) == await sql(f"{where} and service <> ''")
    assert sum(int(row[1]) for row in kinds[1:-1]) == int(kinds[-1][1]) == await sql("true")
    assert sum(int(row[1]) for row in services[1:-1]) == int(services[-1][1]) == await sql("service <> ''")
    for row in places[1:-1]:
        township = "" if row[0] == layout.UNSAID else row[0]
        assert int(row[1]) == await sql(f"township = '{township}'")
        rated, content = (
            await sql(f"township = '{township}' and grade > 0"),
            await sql(f"township = '{township}' and grade >= 3"),
        )
        assert row[6] == (f"{content / rated:.1%}" if rated else "—")


async def test_charts_are_native_and_hold_the_same_numbers(filled: Database) -> None:
    sql = Sql(filled)
    with zipfile.ZipFile(BytesIO(document(report(await find_in(filled, year_of(2020)), DAY, "")))) as parts:
        assert [name for name in parts.namelist() if "charts/" in name and name.endswith(".xml")] == [
            "word/charts/chart1.xml",
            "word/charts/chart2.xml",
        ]
        drawn = parts.read("word/charts/chart1.xml").decode()
        book = load_workbook(BytesIO(parts.read("word/embeddings/Microsoft_Excel_Sheet1.xlsx")))
        assert 'altName w:val="仿宋"' in parts.read("word/fontTable.xml").decode()
        assert "charts/chart1.xml" in parts.read("[Content_Types].xml").decode()
    cells = lines(book, "Sheet1", 2)
    assert [row[0] for row in cells] == [f"{month}月" for month in range(1, 13)]
    cached = re.findall(r"<c:numCache>.*?</c:numCache>", drawn)
    for column, series in enumerate(cached, 1):
        assert [int(one) for one in re.findall(r"<c:v>(\d+)</c:v>", series)] == [row[column] for row in cells]
    for number, row in enumerate(cells, 1):
        start, end = month_of(2020, number).span
        assert row[2] == await sql("true", f"opened_at >= {start} and opened_at < {end}")
    assert sum(row[1] for row in cells) == await sql("true", BEFORE)


async def test_the_annex_adds_up_and_is_that_of_sql(filled: Database) -> None:
    sql = Sql(filled)
    body = annex(await find_in(filled, year_of(2020)))
    seen, formulas = load_workbook(BytesIO(body), data_only=True), load_workbook(BytesIO(body))
    rows = {row[0]: row[1:3] for row in lines(seen, "总览", 3)}
    assert rows["咨询人次"] == (await sql("true"), await sql("true", BEFORE))
    assert rows["办结件数"] == (await sql("service <> ''"), await sql("service <> ''", BEFORE))
    assert rows["满意率"][0] == pytest.approx(await sql("grade >= 3") / await sql("grade > 0"))
    checked = 0
    for name in seen.sheetnames:
        cells: list[tuple[Any, ...]] = lines(seen, name, 2)
        if cells[-1][0] != "合计":
            continue
        for place, total in enumerate(cells[-1][1:], 1):
            formula = formulas[name].cell(len(cells) + 1, place + 1).value
            if isinstance(formula, str) and formula.startswith("=SUM"):
                assert formula.endswith(f"3:{formula[5]}{len(cells)})"), formula
                assert total == sum(row[place] for row in cells[1:-1]), (name, cells[0][place])
                checked += 1
    assert checked > 25
    categories = {row[0]: row for row in lines(seen, "咨询事项", 3)}
    assert categories["法律·婚姻"][1] == await sql("category = 'marriage'")
    assert categories["合计"][1] == await sql("true")
    hours = [row[1:] for row in lines(seen, "每小时", 3)]
    assert sum(map(sum, hours)) == await sql("true")


async def test_what_the_records_cannot_support_stays_blank(filled: Database) -> None:
    found = await find_in(filled, year_of(2020))
    doc = Document(BytesIO(document(report(found, DAY, ""))))
    marked = [
        run.text for line in doc.paragraphs for run in line.runs if run.font.highlight_color and run.text == BLANK
    ]
    assert len(marked) == 4
    assert [blank.about for blank in report(found, DAY, "").blanks] == [
        "法律援助受理件数", "受援人数", "调解成功件数", "下一步工作打算",
    ]  # fmt: skip
    await filled.write(lambda conn: tasks.set_targets(conn, 2020, {}))
    blanks = [blank.about for blank in report(await find_in(filled, year_of(2020)), DAY, "").blanks]
    assert blanks[:2] == ["年度任务件数", "年度任务完成率"]


async def test_made_up_records_are_marked_in_both_files(filled: Database) -> None:
    found = await find_in(filled, month_of(2020, 3))
    words = read_back(document(report(found, DAY, "")))
    assert words.startswith("演示数据，不是真实记录\n示例县2020年3月\n公共法律服务咨询工作情况通报")
    assert words.endswith("示例县司法局\n2021年1月6日")
    book = load_workbook(BytesIO(annex(found)))
    assert all("演示数据" in str(sheet["A1"].value) for sheet in book)


async def test_an_empty_period_is_a_report_too(db: Database) -> None:
    found = await find_in(db, year_of(2024))
    words = read_back(document(report(found, DAY, "")))
    assert "本期没有咨询记录。" in words
    assert "本期没有群众评价。" in words
    assert "nan" not in words
    assert "演示" not in words
    book = load_workbook(BytesIO(annex(found)), data_only=True)
    assert book["总览"]["B3"].value == 0


async def test_nothing_is_compared_with_a_year_that_is_not_there(db: Database, library: Library) -> None:
    await db.write(lambda conn: write.fill(conn, Wish(2020, 30, 1), library, USUAL, NOW))
    words = read_back(document(report(await find_in(db, year_of(2020)), DAY, "")))
    assert "共接待群众咨询30人次，上年同期没有记录，" in words


def read_back(body: bytes) -> str:
    """All paragraphs, in order."""
    return "\n".join(line.text for line in Document(BytesIO(body)).paragraphs if line.text).strip()


def lines(book: Any, name: str, first: int) -> list[tuple[Any, ...]]:
    """A sheet's rows from this one on."""
    return list(book[name].iter_rows(min_row=first, values_only=True))
