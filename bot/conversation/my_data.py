"""我的记录 / 导出 / 删除: citizens see, take along and delete what is held of them."""

from __future__ import annotations

import re
from datetime import timedelta

from msgspec.structs import replace

from bot.conversation.handoff.duty import moment_in_words
from bot.conversation.turn import Held, Inbound, Outcome, Record, State, Turn
from knowledge.reply import Reply, Tap, fit

_MINE = r"(?:我的|我|本人的?)?(?:全部|所有|聊天|咨询|个人)?(?:记录|数据|资料|信息)"
_SHOW = re.compile(
    r"^(?:查看?|看看?|查询)?(?:一下)?我的(?:全部|所有|聊天|咨询|个人)?(?:记录|数据|资料|信息)$|^你们?(?:存|保存|记)了我(?:的)?(?:什么|哪些).{0,6}$"
)
_EXPORT = re.compile(rf"^(?:导出|下载){_MINE}$")
_ERASE = re.compile(
    rf"^(?:请|帮我|我要|申请)?(?:删除|删掉|清空|清除|注销|抹掉){_MINE}$|^(?:把)?我的(?:聊天|咨询|个人)?(?:记录|数据|资料|信息)(?:全)?(?:都)?(?:删除|删掉|删了|清空)(?:吧|了)?$"
)
_SURE = re.compile(r"^确认删除$")
_SIGNS = re.compile(r"[\s。.!！?？~～,，“”\"]+")
LINK_LIVES = timedelta(days=1)
CONFIRM_WITHIN = timedelta(minutes=10)

EXPORT = Tap("导出我的记录", "导出我的记录", "data:export")
ERASE = Tap("删除我的记录", "删除我的记录", "data:erase")
SURE = Tap("确认删除", "确认删除", "data:sure")
KEEP = Tap("不删了", "不删了", "data:keep")
NOTHING = "这里还没有您的记录。您说的话会存下来，好接着答、也好统计；想看、想导出、想删，随时告诉我。"
READY = (
    "您的记录准备好了，点开可以看，也可以存下来：\n{link}\n只能打开一次，{until}前有效。里面是您的私事，别转给别人。"
)
NO_LINK = "本县还没有设置网址，这里没法给您发链接。请到服务窗口，让工作人员给您导出。"
REALLY = (
    "真的要删除吗？您说过的话、得到的答复、图片语音、评价里写的话都会删掉，找不回来，"
    "只留下不知道是谁的咨询次数。想留一份，先点“导出我的记录”。"
)
KEPT = "好的，没有删，都还在。"
ERASED = "已经删除。您说过的话、得到的答复、图片语音都不在了，只留下不知道是谁的咨询次数。以后再来问，就当第一次来。"
TALKING = (
    "您正在找律师，律师要看您说的话，现在还不能删。等这次咨询结束了，再说一次“删除我的记录”；不想等，先回复“取消”。"
)


def wants(inbound: Inbound) -> str:
    """What is asked for: show, export, erase, sure, keep; empty if the message is about something else."""
    what, _, act = inbound.tap.partition(":")
    if what == "data":
        return act
    if inbound.tap or inbound.kind != "text":
        return ""
    text = _SIGNS.sub("", inbound.text)
    patterns = {"show": _SHOW, "export": _EXPORT, "erase": _ERASE, "sure": _SURE}
    return next((name for name, pattern in patterns.items() if pattern.match(text)), "")


def handle(turn: Turn) -> Outcome | None:
    """Answer a wish about one's own data; None if this is none."""
    match wants(turn.inbound):
        case "show":
            return Outcome(_shown(turn.held), Record("my_data", data="shown"), turn.state)
        case "export":
            return _exported(turn)
        case "erase":
            return _asked_back(turn)
        case "sure":
            return _erased(turn)
        case "keep":
            return Outcome(Reply(KEPT), Record("my_data"), turn.state)
        case _:
            return None


def _shown(held: Held | None) -> Reply:
    if held is None:
        return Reply(NOTHING)
    counted = [
        f"从{held.since.year}年{held.since.month}月{held.since.day}日起，您发来{held.messages}条消息，连同给您的答复",
        f"咨询{held.consultations}次" + (f"，其中找律师{held.handoffs}次" if held.handoffs else ""),
    ]
    counted += [f"图片、语音等{held.media}个"] if held.media else []
    counted += [f"您选的乡镇：{held.township}"] if held.township else []
    lines = ["我们存着您的这些记录（没有您的姓名和电话，除非您自己说过）：", *(f"· {one}" for one in counted)]
    if held.last:
        lines.append("最近的咨询：")
        lines += [
            f"{n}. {one.on.month}月{one.on.day}日 {one.subject}，{one.result}" for n, one in enumerate(held.last, 1)
        ]
    lines.append(
        f"您说的话存{held.keep_days}天，图片语音存{held.media_days}天，到期自动删除。除了接待您的律师，谁看过都有登记。"
    )
    return fit(Reply("\n".join(lines), ((EXPORT, ERASE),)))


def _exported(turn: Turn) -> Outcome:
    if turn.held is None:
        return Outcome(Reply(NOTHING), Record("my_data"), turn.state)
    if not turn.held.link:
        return Outcome(Reply(NO_LINK), Record("my_data"), turn.state)
    until = moment_in_words(turn.now + LINK_LIVES, turn.now)
    said = Reply(READY.format(link=turn.held.link, until=until))
    return Outcome(said, Record("my_data", data="exported"), turn.state)


def _asked_back(turn: Turn) -> Outcome:
    if turn.handoff is not None:
        return Outcome(Reply(TALKING), Record("my_data"), turn.state)
    if turn.held is None:
        return Outcome(Reply(NOTHING), Record("my_data"), turn.state)
    until = (turn.now + CONFIRM_WITHIN).timestamp()
    state = replace(turn.state, awaits="erase", awaits_until=until)
    return Outcome(Reply(REALLY, ((SURE, KEEP), (EXPORT,))), Record("my_data"), state)


def _erased(turn: Turn) -> Outcome:
    """Only right after we asked: an old tap touched by chance asks again."""
    if turn.awaits != "erase" or turn.handoff is not None or turn.held is None:
        return _asked_back(turn)
    return Outcome(Reply(ERASED), Record("my_data", data="erased"), State())
