"""The sentences of a report, filled from the figures of a period and compared with the year before. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.service.figures import tables as layout
from bot.service.figures.cube import NOTHING, Tally
from bot.service.figures.findings import Findings
from bot.service.figures.tables import Column, Row, Table, share
from bot.service.records.filters import NONE
from bot.service.reports.parts import Blank, Chart, Paragraph, Report, Section, Series, Sheet

_NUMERALS = "一二三四五六七八九"
_TOP = 5
_POINT = 0.0005


def report(found: Findings, day: date, office: str) -> Report:
    """The report on a period, made on `day`, signed by `office`."""
    tables = {table.slug: table for table in layout.tables(found)}
    sections = (
        Section(
            "一、总体情况",
            (*_numbered(_overall(found)), _sheet(tables["kind"], "表1　各类咨询"), _monthly(tables["month"])),
        ),
        Section("二、分项情况", (*_numbered(_items(found, tables)), _sheet(tables["service"], "表2　办结方式"))),
        Section("三、群众评价", (*_numbered(_ratings(found, tables)), *_places(tables["township"]))),
        Section("四、下一步工作", (Paragraph((Blank("下一步工作打算"), "。")),)),
    )
    opening = (
        f"{found.period.name}，{found.county}依托公共法律服务中心、乡镇公共法律服务工作站和“法问”微信服务，"
        "为群众提供法律、信访、审批咨询，由值班律师接续解答。现将有关情况通报如下。"
    )
    return Report(
        title=(f"{found.county}{found.period.name}", "公共法律服务咨询工作情况通报"),
        opening=Paragraph((opening,)),
        sections=sections,
        signed=office or f"{found.county}司法局",
        day=day,
        demo=found.demo,
    )


def _numbered(paragraphs: Sequence[Paragraph]) -> tuple[Paragraph, ...]:
    return tuple(Paragraph(one.words, f"（{_NUMERALS[number]}）{one.lead}。") for number, one in enumerate(paragraphs))


def compared(now: int, before: int, unit: str, found: Findings) -> str:
    """How a count stands against the year before, as the end of a sentence."""
    if not found.has_before:
        return "，上年同期没有记录"
    if now == before:
        return "，与上年同期持平"
    word, verb = ("增加", "增长") if now > before else ("减少", "下降")
    moved = f"，比上年同期{word}{abs(now - before)}{unit}"
    part = layout.change(now, before)
    return moved + (f"，{verb}{abs(part):.1%}" if part is not None else "")


def rate(some: int, whole: int, was: int, was_whole: int) -> str:
    """A rate and how it moved, in points: 85.1%（上年同期84.4%，提高0.7个百分点）; — of nothing."""
    now, before = share(some, whole), share(was, was_whole)
    if now is None:
        return "—"
    if before is None:
        return f"{now:.1%}"
    points = round(now, 3) - round(before, 3)
    word = "持平" if abs(points) < _POINT else f"{'提高' if points > 0 else '下降'}{abs(points) * 100:.1f}个百分点"
    return f"{now:.1%}（上年同期{before:.1%}，{word}）"


def _overall(found: Findings) -> list[Paragraph]:
    now, before = found.now.total, found.before.total
    if not now.consultations:
        asked = "本期没有咨询记录。"
    else:
        kinds = found.now.by(lambda cell: cell.kind)
        asked = (
            f"共接待群众咨询{now.consultations}人次{compared(now.consultations, before.consultations, '人次', found)}，"
            f"服务群众{found.now.citizens}人。"
            f"其中，法律咨询{_of(kinds, 'legal', now)}，信访咨询{_of(kinds, 'petition', now)}，审批咨询{_of(kinds, 'approval', now)}，"
            f"没有说明事项的{_of(kinds, '', now)}。急件{now.urgent}人次。"
        )
    answered = (
        f"首问答复率{rate(now.first_answered, now.consultations, before.first_answered, before.consultations)}。"
        f"转人工律师{now.handed}人次，占{layout.shown(share(now.handed, now.consultations), 'share')}"
        f"{compared(now.handed, before.handed, '人次', found)}。"
        f"工作时间内群众等候律师时间中位数{layout.minutes(found.handed.median)}，九成不超过{layout.minutes(found.handed.longest_of_nine)}。"
    ).replace(" ", "")
    return [
        Paragraph((asked,), "咨询人次"),
        Paragraph((answered,), "答复情况"),
        Paragraph(_task(found), "便民工程任务"),
    ]


def _of(kinds: dict[str, Tally], kind: str, total: Tally) -> str:
    number = kinds.get(kind, NOTHING).consultations
    return f"{number}人次（占{layout.shown(share(number, total.consultations), 'share')}）"


def _task(found: Findings) -> tuple[str | Blank, ...]:
    now, before = found.now.total, found.before.total
    done = f"本期办结法律服务{now.services}件{compared(now.services, before.services, '件', found)}。"
    county = next((task for task in found.tasks if not task.place), None)
    year, until = found.period.last.year, f"{found.period.last.month}月{found.period.last.day}日"
    if county is None:
        return (done, f"{year}年度任务", Blank("年度任务件数"), "件，完成率", Blank("年度任务完成率"), "。")
    text = f"{done}{year}年度任务{county.target}件，截至{until}完成{county.done}件，完成率{county.share:.1%}。"
    places = [task for task in found.tasks if task.place]
    met = sum(task.done >= task.target for task in places)
    if places:
        text += f"{len(places)}个定了任务的乡镇和服务站中，{met}个已完成全年任务。"
    return (text,)


def _items(found: Findings, tables: dict[str, Table]) -> list[Paragraph]:
    services = {row.filters["service"]: row for row in tables["service"].rows}

    def served(service: str) -> tuple[int, int]:
        row = services.get(service)
        return (row.now.services, row.before.services) if row else (0, 0)

    def told(service: str, words: str) -> str:
        now, before = served(service)
        return f"{words}{now}件{compared(now, before, '件', found)}。"

    guided = "，".join(
        f"{words}{served(service)[0]}件"
        for service, words in (
            ("notary", "建议公证"),
            ("arbitration", "建议仲裁"),
            ("litigation", "建议诉讼"),
            ("reconsideration", "建议行政复议"),
            ("drafting", "代书"),
        )
    )
    return [
        Paragraph((_kind(found, tables, "legal", "法律咨询"),), "法律咨询"),
        Paragraph(
            (
                told("legal_aid", "律师解答后转法律援助"),
                "法律援助机构受理法律援助案件", Blank("法律援助受理件数"), "件，受援人数", Blank("受援人数"), "人。",
            ),
            "法律援助",
        ),
        Paragraph((told("mediation", "转人民调解"), "调解成功", Blank("调解成功件数"), "件。"), "调解转介"),
        Paragraph((f"{guided}。",), "其他指引"),
        Paragraph((_kind(found, tables, "petition", "信访咨询"), told("petition", "其中由律师转信访渠道")), "信访咨询"),
        Paragraph((_kind(found, tables, "approval", "审批咨询"),), "审批咨询"),
    ]  # fmt: skip


def _kind(found: Findings, tables: dict[str, Table], kind: str, name: str) -> str:
    row = next(row for row in tables["kind"].rows if row.filters["kind"] == kind)
    text = f"接待{name}{row.now.consultations}人次{compared(row.now.consultations, row.before.consultations, '人次', found)}。"
    most = [one for one in tables["category"].rows if one.filters["kind"] == kind and one.now.consultations][:_TOP]
    if most:
        named = "、".join(f"{one.label.partition('·')[2]}{one.now.consultations}人次" for one in most)
        text += f"问得最多的是{named}。" if len(most) > 1 else f"都是{named}。"
    return text


def _ratings(found: Findings, tables: dict[str, Table]) -> list[Paragraph]:
    now, before = found.now.total, found.before.total
    if not now.rated:
        return [Paragraph(("本期没有群众评价。",), "总体满意度")]
    grades = "，".join(f"{row.label}{row.now.rated}" for row in tables["grade"].rows)
    whole = (
        f"群众评价{now.rated}人次，满意率{rate(now.satisfied, now.rated, before.satisfied, before.rated)}。其中{grades}。"
        f"不满意和非常不满意的{now.rated - now.satisfied}人次，开展整改{found.rectified[0]}件，办结{found.rectified[1]}件。"
    )
    rated = [row for row in tables["township"].rows if row.now.rated and row.filters["township"] != NONE]
    rated.sort(key=lambda row: -row.now.satisfied / row.now.rated)
    named = "，".join(f"{row.label}{row.now.satisfied / row.now.rated:.1%}" for row in rated)
    places = f"各乡镇满意率从高到低：{named}。" if rated else "评价的群众都没有说明乡镇。"
    return [Paragraph((whole,), "总体满意度"), Paragraph((places,), "各乡镇满意度")]


def _sheet(table: Table, caption: str) -> Sheet:
    """A breakdown as a table of the report, without the lines that were nought in both years."""
    rows = [row for row in table.rows if any(isinstance(value, (int, float)) and value for value in table.values(row))]
    cells = tuple(tuple(_cells(row, table.columns)) for row in (*rows, table.total))
    return Sheet(caption, ("", *(column.name for column in table.columns)), cells)


def _cells(row: Row, columns: Sequence[Column]) -> list[str]:
    return [row.label, *(layout.shown(column.value(row), column.form).replace(",", "") for column in columns)]


def _monthly(table: Table) -> Chart:
    labels = tuple(row.label.partition("年")[2] if len(table.rows) <= 12 else row.label for row in table.rows)  # noqa: PLR2004
    now = Series("本期", tuple(row.now.consultations for row in table.rows))
    before = Series("上年同期", tuple(row.before.consultations for row in table.rows))
    return Chart("图1　逐月咨询人次", "column", labels, (before, now))


def _places(table: Table) -> list[Sheet | Chart]:
    found: list[Sheet | Chart] = [_sheet(table, "表3　各乡镇咨询和满意度")]
    rated = [row for row in table.rows if row.now.rated]
    if rated:
        values = tuple(round(row.now.satisfied / row.now.rated, 4) for row in rated)
        found.append(
            Chart("图2　各乡镇满意率", "bar", tuple(row.label for row in rated), (Series("满意率", values),), "0.0%")
        )
    return found
