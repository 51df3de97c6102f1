"""What citizens read about being handed over. Plain words, no promises but those we keep."""

from __future__ import annotations

from datetime import datetime

from bot.conversation.handoff.duty import moment_in_words, wait_in_words
from bot.conversation.handoff.machine import Event, EventName, Handoff
from bot.conversation.handoff.timing import expected_wait
from bot.conversation.turn import Duty
from knowledge.reply import Reply, Tap

CANCEL = Tap("取消，不找了", "取消", "hand:cancel")
ASK_SUBJECT = "好的，给您转律师。先点一下，是哪方面的事？（拿不准就点“其他的事”）"
ASK_TOWNSHIP = "您在哪个乡镇？点一下，或打字告诉我；不想说就回复“跳过”。"
SKIP = Tap("跳过", "跳过", "hand:skip")
URGENT = "您的事已标为急件，律师会先看。有人身危险马上打110，急救打120。\n"
MEANWHILE = "等的时候可以接着说情况、发图片，律师都能看到；简单的问题我先答。"
LEFT = "您可以接着把情况说清楚、发图片。"
LINES = "急事打12348（法律咨询，免费）。"
KEPT = "收到了，律师来了就能看到。您也可以用文字再说几句。"
ELSEWHERE = (
    "好的，已经记下您想找律师。现在请这样联系：\n"
    "1. 打12348，法律咨询热线，免费。\n"
    "2. 到{place.legal_aid}当面问。\n"
    "有危险马上打110。您也可以在这里接着说，我能答的先答。"
)
CANCELLED = "好的，不转律师了。还有别的事随时问我；什么时候想找律师，回复“转人工”。"
ENDED_BY_CITIZEN = "好的，这次咨询先到这里。还有事随时来问，想再找律师就回复“转人工”。"
STILL_HELD = "{lawyer}正在接待您，直接在这里说就行。想结束请回复“结束咨询”。"
GRADES = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}


def queued(duty: Duty, now: datetime, *, urgent: bool = False) -> Reply:
    """The wait has begun: where the citizen stands, how long it takes, or when somebody will look."""
    head = URGENT if urgent else ""
    if not duty.lawyers:
        when = moment_in_words(duty.opens_at, now)
        promise = f"律师{when}上班后会看" if duty.opens_at > now else "律师一上线就会看"
        text = f"{head}现在没有律师在线，您的话已经留下。{promise}，直接在这里回您。\n{LEFT}{LINES}"
        return Reply(text, ((CANCEL,),))
    place = 1 if urgent else duty.place
    before = f"前面还有{place - 1}位" if place > 1 else "您是下一位"
    wait = wait_in_words(expected_wait(place, duty.recent, duty.lawyers))
    return Reply(f"{head}已经排上队，{before}，{wait}会有律师来，就在这里跟您说话。\n{MEANWHILE}", ((CANCEL,),))


def waiting(duty: Duty, now: datetime) -> Reply:
    """Asked again while waiting: where things stand."""
    if not duty.lawyers:
        return queued(duty, now)
    before = f"前面还有{duty.place - 1}位" if duty.place > 1 else "您是下一位"
    return Reply(f"您已经在排队，{before}。律师来了就在这里跟您说话，请稍等。{LINES}", ((CANCEL,),))


_PLAIN: dict[EventName, str] = {
    "claim": "{lawyer}来了，看过您前面说的话，马上回您。",
    "take_over": "{lawyer}来了，看过您前面说的话，马上回您。",
    "transfer": "您的咨询已转给{lawyer}，前面说的话都能看到，不用重说。",
    "release": "{lawyer}这会儿有事走开了，您还排在原来的位置，别的律师会接着看。您说的话都在。" + LINES,
    "vanish": "{lawyer}这会儿有事走开了，您还排在原来的位置，别的律师会接着看。您说的话都在。" + LINES,
    "give_up": "对不起，一直没有律师能来，让您久等了。您说的话已记录在案。请打12348，或到法律援助中心当面问。",
    "close": "{lawyer}已结束这次咨询。请您给这次服务打个分：",
}


def told(event: Event, before: Handoff, lawyer: str) -> str:
    """What the citizen must hear when this happened; empty for what is no news. `lawyer`: who has it now, or had it."""
    if event.name != "idle":
        return _PLAIN.get(event.name, "").format(lawyer=lawyer)
    if before.citizen_at > (before.claimed_at or before.citizen_at):
        return "一天没有新消息，这次咨询先结束了。还有问题随时回复“转人工”。"
    return f"{lawyer}来过，没等到您回话，这次先结束了。方便时回复“转人工”，再给您接。"


def rating_rows(rated: str) -> tuple[tuple[Tap, ...], ...]:
    """The five official grades (好差评), each one tap."""
    taps = [Tap(label, label, f"rate:{rated}:{grade}") for grade, label in GRADES.items()]
    return ((taps[0], taps[1], taps[2]), (taps[3], taps[4]))
