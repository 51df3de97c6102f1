"""Danger beats everything: the hotline first, and the case flagged for a person."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.conversation.turn import Matter, Outcome, Record, Turn
from knowledge.reply import Reply, human_tap


@dataclass(frozen=True, slots=True)
class Danger:
    """One kind of danger: how it sounds, and what is said at once."""

    name: str
    pattern: re.Pattern[str]
    reply: str


# Words of somebody in danger now. A question about a past event (“他自杀了保险赔吗”) must not match:
# it gets its answer, with the hotline in front (see `mention`).
_DANGERS = (
    Danger(
        "self_harm",
        re.compile(
            r"(?:我|俺)(?:真的?|都|就|现在|也|好|很|只|有点|已经)*(?:不想活|活不下去|活够了|想死|想自杀|要自杀|去死|想结束(?:自己的)?生命|想跳楼|要跳楼|准备跳楼|想不开|想轻生)"
            r"|^(?:真的?)?(?:不想活了?|活不下去了?|活着没(?:意思|意义)|想死|死了算了|想自杀)"
            r"|(?:活着(?:还有|有)?(?:什么|啥)?(?:没)?(?:意思|意义)|不如死了|死了算了|一死了之)"
            r"|(?:喝了?|吃了?)(?:农药|敌敌畏|百草枯|安眠药)(?:了|自杀|想死)?$"
            r"|(?:正在|马上|现在)(?:要)?(?:跳楼|跳河|割腕|上吊|自杀)"
        ),
        "您现在一定很难受，请先别一个人扛着。\n"
        "1. 马上打12356（心理援助，24小时），有人听您说。\n"
        "2. 已经受伤、吃了药或有危险，立刻打120或110。\n"
        "3. 叫一位家人、邻居或朋友到您身边来，先离开危险的地方。\n"
        "欠债、官司、家里的事都能一件一件想办法解决。等您安全了，把事情告诉我，或让律师帮您。",
    ),
    Danger(
        "child",
        re.compile(
            r"(?:孩子|小孩|儿子|女儿|闺女|娃|幼女|未成年|学生|侄女|孙女|小女孩|男孩|女孩)[^。？！]{0,14}(?:被|遭|让)[^。？！]{0,10}(?:性侵|猥亵|强奸|强暴|糟蹋|摸下面|虐待|拐走|拐卖|绑架)"
            r"|(?:性侵|猥亵|强奸|虐待|拐卖)(?:了)?(?:我家?)?(?:孩子|小孩|儿子|女儿|闺女|幼女|未成年)"
            r"|(?:孩子|小孩|儿子|女儿|闺女|娃)[^。？！]{0,8}(?:丢了|失踪|不见了|走失|找不到了|被抢走)"
            r"|(?:我)?(?:被)?(?:老师|继父|后爸|亲戚|邻居)(?:摸了?我|强奸了?我|猥亵我)"
        ),
        "孩子的安全最要紧，请马上打110报警，受了伤打120。\n"
        "1. 先把孩子带到安全的地方，有大人陪着。\n"
        "2. 受到性侵的，先不要洗澡、换衣服，把衣物留好，尽快去医院和派出所。\n"
        "3. 孩子走失的，不用等24小时，立刻报警，带上近照。\n"
        "4. 打12355（青少年热线）可以得到心理和法律帮助；未成年被害人可以申请法律援助，打12348。",
    ),
    Danger(
        "violence",
        re.compile(
            r"(?:正在|现在|又在|还在|马上|一直在)(?:打我|打人|砍人|打架|砸门|砸我家|追我|捅人|家暴|掐我|拿刀|威胁要杀)"
            r"|(?:拿着?|举着?|提着)(?:刀|斧|棍|枪|汽油)[^。？！]{0,8}(?:要|砍|捅|追|杀|堵|冲|逼|威胁)(?:我|人|死|门|在)"
            r"|(?:要|会|快)(?:打死|杀了|杀死|弄死|砍死|捅死)我(?!.{0,6}(?:判|赔|算))"
            r"|(?:救命|救救我|快来人)|(?:被|把我)(?:关|锁|囚禁)(?:在|起来)[^。？！]{0,10}(?:出不去|不让(?:我)?(?:走|出))"
            r"|不敢回家[^。？！]{0,10}(?:打|杀)|(?:刚|刚刚|刚才|今天|昨晚)[^。？！]{0,6}(?:强奸|强暴|性侵)(?:了)?我?"
        ),
        "先保命：请马上打110报警，说清地点和正在发生的事；受伤打120。\n"
        "1. 能走先走，躲到邻居家、派出所、村委会等人多的地方。\n"
        "2. 不方便说话的，可以发短信到12110报警。\n"
        "3. 家里人打的，可以向法院申请人身安全保护令，不收费；打12338（妇女维权）有人帮您。\n"
        "4. 安全后留好伤情照片、病历、报警回执（建议）。\n"
        "等您安全了再告诉我，接下来怎么办我一步步帮您。",
    ),
)
_MENTION = re.compile(
    r"自杀|轻生|跳楼|喝农药|家暴|家庭暴力|强奸|性侵|猥亵|虐待|威胁.{0,6}(?:杀|弄死)|打我|打老婆|打妻子|打孩子|抑郁"
)
_MENTION_LEAD = "（您或身边的人眼下有危险，先打110；受伤打120；心里难受打12356。）\n"


def danger(text: str) -> Danger | None:
    """The danger a message speaks of as happening now, if any."""
    return next((one for one in _DANGERS if one.pattern.search(text)), None)


def mention(text: str) -> str:
    """A line to put before an answer that touches on danger; empty otherwise."""
    return _MENTION_LEAD if _MENTION.search(text) else ""


def respond(turn: Turn, found: Danger) -> Outcome:
    """Hotline first; counted, flagged urgent, a person one tap away."""
    reply = Reply(turn.say(found.reply), ((human_tap(),),))
    return Outcome(reply, Record(f"safety.{found.name}", Matter(outcome="referred", urgent=True)), turn.state)
