"""What is wrong with the system, as sentences: what it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from bot.service.system import Records

KB, MB, GB = 1024, 1024**2, 1024**3
LEAST_FREE, LEAST_SHARE = GB, 0.1
BACKUP_AGE = timedelta(hours=36)
LONG_DUE = timedelta(minutes=10)
QUEUE = 200


class System(msgspec.Struct, frozen=True):
    """Everything the page shows. Counters are this process's since `started`."""

    now: datetime
    started: datetime
    records: Records
    head: str
    disk_free: int
    disk_total: int
    writes: int = 0
    failed_turns: int = 0
    late: int = 0
    calls: dict[str, int] = msgspec.field(default_factory=dict)
    refused: dict[str, int] = msgspec.field(default_factory=dict)
    useless: tuple[str, ...] = ()
    wechat: bool = True


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong, and what helps."""

    what: str
    help: str


def faults(system: System) -> list[Fault]:
    """The most dangerous first."""
    return [*_store(system), *_sending(system), *_serving(system)]


def _store(system: System) -> Iterator[Fault]:
    free, records = system.disk_free, system.records
    if free < LEAST_FREE or free < system.disk_total * LEAST_SHARE:
        yield Fault(
            f"磁盘快满了，只剩{size(free)}。满了以后群众的话就记不下来，法问会停止回答。",
            "请让懂服务器的人清理磁盘或换大的；旧备份可以先移到别处。",
        )
    backup = records.backup
    if backup is None:
        yield Fault(
            "还没有做过备份。",
            "在服务器上运行 sudo systemctl start fawen-backup，再运行 systemctl list-timers 看看每天的备份有没有打开。",
        )
    elif system.now - backup.at > BACKUP_AGE:
        yield Fault(
            f"最近一次备份已经过了{age(system.now - backup.at)}，每天的备份没有做成。",
            "在服务器上运行 journalctl -u fawen-backup -n 20 看原因，再运行 sudo systemctl start fawen-backup 补做一次。",
        )
    if records.schema != system.head:
        yield Fault(
            f"数据库的版本是{records.schema}，程序要的是{system.head}。",
            "可能几台机器上的程序新旧不一样：请把每台都更新到同一个版本，再重新启动。",
        )
    if system.useless:
        yield Fault(
            f"有{len(system.useless)}项改过的设置现在用不了，正在按默认值办。", "请到“运行设置”重新填一次，或恢复默认。"
        )


def _sending(system: System) -> Iterator[Fault]:
    records = system.records
    if failed := sum(records.unsent.values()):
        yield Fault(
            f"近7天有{failed}条消息没有送到群众那里。",
            "原因列在下面“发件”一栏。原因消除后点“再发一次”，没必要再发的可以不管。",
        )
    since = records.oldest_due
    if since is not None and system.now - since > LONG_DUE:
        why = "连不上微信，或微信正忙。" if system.wechat else "没有设置公众号，发不出去。"
        yield Fault(
            f"有消息等了{age(system.now - since)}还没有发出去，多半是{why}",
            "连上后会自动补发。请在服务器上运行 fawen-check 看网络和公众号的设置。",
        )
    if records.untold:
        yield Fault(
            f"近7天有{sum(records.untold.values())}次没能通知到律师。",
            "原因列在下面“通知律师”一栏。请看通知模板和群机器人的设置，律师的微信有没有绑定、有没有取消关注。",
        )
    if records.late_notices:
        yield Fault(
            f"有{records.late_notices}条给律师的通知过了时间还没发出去。", "请先打电话提醒值班律师看工作台，再查网络。"
        )


def _serving(system: System) -> Iterator[Fault]:
    if system.writes > QUEUE:
        yield Fault(
            f"数据库忙不过来，有{system.writes}件事排队等着记录。",
            "过几分钟再看；一直这样，请让懂服务器的人看磁盘和数据库。",
        )
    if system.failed_turns:
        yield Fault(
            f"启动以来有{system.failed_turns}次没能记下群众的话，当时请他再发一次或打热线。",
            "在服务器上运行 journalctl -u fawen -p err -n 30，把内容发给维护的人。",
        )


def size(count: int) -> str:
    """1.5 GB, 300 MB, 20 KB."""
    if count >= GB:
        return f"{count / GB:.1f} GB"
    return f"{count / MB:.0f} MB" if count >= MB else f"{count / KB:.0f} KB"


def age(span: timedelta) -> str:
    """3天, 5小时, 12分钟."""
    minutes = max(int(span.total_seconds()) // 60, 0)
    if minutes >= 48 * 60:
        return f"{minutes // (24 * 60)}天"
    return f"{minutes // 60}小时" if minutes >= 60 else f"{minutes}分钟"  # noqa: PLR2004 - minutes of an hour
