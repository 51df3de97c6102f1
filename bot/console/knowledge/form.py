"""An entry as the fields of a form, and back: lists one item a line, an item's parts set apart by ｜."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from knowledge import citation
from knowledge.entry import Approval, Deadline, Entry, Material, Unverified, Validity, Where
from knowledge.load import fingerprint
from knowledge.overlay import SOURCE

T = TypeVar("T")
BAR = "｜"
WORKING = "工作日"
# A paper of which neither original nor copy is handed in: it is only shown or said.
NEITHER = "说明就行"
LABELS: dict[str, str] = {
    "id": "编号", "kind": "类别", "category": "分类", "question": "标准问题", "asks": "其他问法", "answer": "回答",
    "more": "更多", "steps": "步骤", "materials": "要带的材料", "deadlines": "期限", "where": "到哪里办",
    "basis": "依据", "unverified": "待核的依据", "see_also": "相关问题", "valid_from": "从哪天起有效",
    "valid_to": "到哪天为止", "succeeds": "接替哪一条", "reviewed": "核对日期", "note": "编辑备注",
    "decided_by": "谁来办", "applicant": "谁能申请", "conditions": "条件", "papers": "申请材料",
    "statutory_limit": "法定时限", "promised_limit": "承诺时限", "fee": "收费", "window": "窗口",
    "result": "办成得到", "packages": "属于哪些一件事",
}  # fmt: skip
APPROVAL = ("decided_by", "applicant", "conditions", "papers", "statutory_limit", "promised_limit", "fee", "window", "result", "packages")  # fmt: skip
_NEEDED = ("decided_by", "applicant", "statutory_limit", "promised_limit", "fee", "window", "result")
_ID = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_PERIOD = re.compile(r"\d+(日|天|小时|周|个月|年|个工作日)")
_COPIES = re.compile(r"复印件(\d+)份")
_FLAGS = ("告知承诺", "免提交")


class Filled(msgspec.Struct, frozen=True):
    """What a form came to: an entry, or what is wrong with it in sentences."""

    entry: Entry | None
    faults: tuple[str, ...] = ()


def fields(entry: Entry) -> dict[str, str]:
    """All fields as they stand in the form."""
    shown = {
        "id": entry.id,
        "kind": entry.kind,
        "category": entry.category,
        "question": entry.question,
        "asks": _lines(entry.asks),
        "answer": entry.answer.strip(),
        "more": entry.more.strip(),
        "steps": _lines(entry.steps),
        "materials": _lines(entry.materials),
        "deadlines": _lines(map(_deadline, entry.deadlines)),
        "where": _lines(_joined(one.office, one.place, one.hotline) for one in entry.where),
        "basis": _lines(entry.basis),
        "unverified": _lines(_joined(one.cite, one.note) for one in entry.unverified),
        "see_also": _lines(entry.see_also),
        "valid_from": str(entry.valid.starts or ""),
        "valid_to": str(entry.valid.ends or ""),
        "succeeds": entry.succeeds or "",
        "reviewed": str(entry.reviewed),
        "note": entry.note.strip(),
    }
    return shown | _approval_fields(entry.approval)


def empty(day: date) -> dict[str, str]:
    """The form of a new entry."""
    return dict.fromkeys(LABELS, "") | {"kind": "legal", "reviewed": str(day)}


def _approval_fields(one: Approval | None) -> dict[str, str]:
    if one is None:
        return dict.fromkeys(APPROVAL, "")
    return {
        "decided_by": one.decided_by,
        "applicant": one.applicant,
        "conditions": _lines(one.conditions),
        "papers": _lines(map(_paper, one.materials)),
        "statutory_limit": one.statutory_limit,
        "promised_limit": one.promised_limit,
        "fee": one.fee,
        "window": one.window,
        "result": one.result,
        "packages": _lines(one.packages),
    }


def _lines(items: Any) -> str:
    return "\n".join(items)


def _joined(*parts: str | None) -> str:
    return BAR.join(part or "" for part in parts).rstrip(BAR)


def _deadline(one: Deadline) -> str:
    return _joined(one.what, one.within, one.starts, WORKING if one.days == "working" else "", one.basis)


def _paper(one: Material) -> str:
    copies = f"复印件{one.copies}份" if one.copies else ""
    kinds = "、".join(filter(None, ("原件" if one.original else "", copies))) or NEITHER
    return _joined(one.name, kinds, one.flag, one.when)


class _Reader:
    """Reads a form field by field and gathers what is wrong."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.faults: list[str] = []

    def text(self, name: str) -> str:
        return "\n".join(line.rstrip() for line in self._form.get(name, "").splitlines()).strip()

    def needed(self, name: str) -> str:
        if not (found := self.text(name)):
            self.faults.append(f"“{LABELS[name]}”还没有填")
        return found

    def lines(self, name: str) -> tuple[str, ...]:
        return tuple(filter(None, (line.strip() for line in self._form.get(name, "").splitlines())))

    def items(self, name: str, read: Callable[..., T], least: int = 1) -> tuple[T, ...]:
        """One item a line, made of its parts; a line that does not fit is named."""
        found: list[T] = []
        for line in self.lines(name):
            parts = [part.strip() for part in line.replace("|", BAR).split(BAR)]
            if not all(parts[:least]) or len(parts) < least:
                self.faults.append(f"“{LABELS[name]}”里的“{line[:30]}”要写{least}部分，用“{BAR}”隔开")
                continue
            try:
                found.append(read(*parts))
            except (TypeError, ValueError) as error:
                why = str(error) if isinstance(error, ValueError) else "写得太多了"
                self.faults.append(f"“{LABELS[name]}”里的“{line[:30]}”{why}")
        return tuple(found)

    def day(self, name: str) -> date | None:
        text = self.text(name)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.faults.append(f"“{LABELS[name]}”要写成2026-11-23这样")
            return None


def entry(form: Mapping[str, str], old: Entry | None = None) -> Filled:
    """The entry a form describes; `old` is the one it began with, which keeps its id and what the form does not show."""
    reader = _Reader(form)
    kind = old.kind if old else reader.text("kind")
    entry_id = old.id if old else reader.needed("id")
    if entry_id and not _ID.fullmatch(entry_id):
        reader.faults.append("“编号”用小写英文和点，比如 lease.deposit-return")
    values: dict[str, Any] = {
        "id": entry_id,
        "kind": kind,
        "category": reader.needed("category"),
        "question": reader.needed("question"),
        "asks": reader.lines("asks"),
        "answer": _kept(reader.needed("answer"), old.answer if old else ""),
        "more": _kept(reader.text("more"), old.more if old else ""),
        "steps": reader.lines("steps"),
        "materials": reader.lines("materials"),
        "deadlines": reader.items("deadlines", _read_deadline, 3),
        "where": reader.items("where", _read_where),
        "basis": reader.lines("basis"),
        "unverified": reader.items("unverified", _read_unverified, 2),
        "see_also": reader.lines("see_also"),
        "valid": Validity(starts=reader.day("valid_from"), ends=reader.day("valid_to")),
        "succeeds": reader.text("succeeds") or None,
        "reviewed": reader.day("reviewed"),
        "note": _kept(reader.text("note"), old.note if old else ""),
        "approval": _read_approval(reader) if kind == "approval" else None,
    }
    for cite in (*values["basis"], *(item.cite for item in values["unverified"])):
        if not _readable(cite):
            reader.faults.append(f"“{cite[:30]}”没写清是第几条，请写成“劳动合同法第三十条”这样")
    if values["reviewed"] is None:
        reader.faults.append("“核对日期”还没有填")
    if reader.faults:
        return Filled(None, tuple(reader.faults))
    try:
        made = msgspec.convert(msgspec.to_builtins(Entry(**values)), Entry)
    except msgspec.ValidationError as error:
        return Filled(None, (f"有一项写得不对：{error}",))
    return Filled(replace(made, version=fingerprint(made), source=SOURCE))


def _readable(cite: str) -> bool:
    try:
        citation.parse(cite)
    except ValueError:
        return False
    return True


def _kept(text: str, before: str) -> str:
    """The text as it was if only blank space around it differs: then it is the same version."""
    return before if text == before.strip() else text


def _read_deadline(what: str, within: str, starts: str, days: str = "", basis: str = "") -> Deadline:
    if not _PERIOD.fullmatch(within):
        raise ValueError("的长短要写成30日、1年、15个工作日这样")
    if days not in {"", WORKING}:
        raise ValueError(f"的第4部分只能写“{WORKING}”或空着")
    return Deadline(
        what=what, within=within, starts=starts, days="working" if days else "calendar", basis=basis or None
    )


def _read_where(office: str, place: str = "", hotline: str = "") -> Where:
    return Where(office=office, place=place or None, hotline=hotline or None)


def _read_unverified(cite: str, note: str) -> Unverified:
    return Unverified(cite=cite, note=note)


def _read_paper(name: str, kinds: str = "原件", flag: str = "", when: str = "") -> Material:
    if flag not in {"", *_FLAGS}:
        raise ValueError("的第3部分只能写“告知承诺”“免提交”或空着")
    copies = _COPIES.search(kinds)
    raw = {"name": name, "original": "原件" in kinds, "copies": int(copies[1]) if copies else 0}
    return msgspec.convert(raw | {"flag": flag or None, "when": when or None}, Material)


def _read_approval(reader: _Reader) -> Approval | None:
    needed = {name: reader.needed(name) for name in _NEEDED}
    conditions, packages = reader.lines("conditions"), reader.lines("packages")
    papers = reader.items("papers", _read_paper)
    if not all(needed.values()):
        return None
    return Approval(**needed, conditions=conditions, materials=papers, packages=packages)
