"""Bring a citizen's message and our wordings to one form before they are compared."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import opencc

# Longer messages are stories: their beginning says what happened, their end asks.
HEAD, TAIL = 400, 200
# What is left when politeness goes must still be a word.
SHORTEST = 2

# Wrong characters that voice input and hurried fingers produce, where only one reading makes sense here.
_WRONG = {
    "帐": "账",
    "代款": "贷款",
    "货款公司": "贷款公司",
    "彩里": "彩礼",
    "采礼": "彩礼",
    "财礼": "彩礼",
    "法玩": "法院",
    "法苑": "法院",
    "起拆": "起诉",
    "起斥": "起诉",
    "仲才": "仲裁",
    "种裁": "仲裁",
    "仲栽": "仲裁",
    "劳动仲载": "劳动仲裁",
    "抚养废": "抚养费",
    "扶养费": "抚养费",
    "抚仰费": "抚养费",
    "家爆": "家暴",
    "低报": "低保",
    "地保": "低保",
    "宫伤": "工伤",
    "新访": "信访",
    "法律原助": "法律援助",
    "法律元助": "法律援助",
    "拆签": "拆迁",
    "责任人定": "责任认定",
    "宅基底": "宅基地",
    "宅机地": "宅基地",
    "土地正": "土地证",
    "身份正": "身份证",
    "户口薄": "户口簿",
    "户口部": "户口簿",
    "户口本": "户口簿",
    "结昏": "结婚",
    "离昏": "离婚",
    "离分": "离婚",
    "欠新": "欠薪",
    "公伤": "工伤",
    "工商认定": "工伤认定",
    "工商赔偿": "工伤赔偿",
    "信仿": "信访",
    "信防": "信访",
    "上仿": "上访",
    "营业执找": "营业执照",
    "婆姨": "妻子",
    "老婆": "妻子",
    "媳妇": "妻子",
    "老公": "丈夫",
    "咋办": "怎么办",
    "咋整": "怎么办",
    "咋弄": "怎么办",
    "咋": "怎么",
    "啥": "什么",
    "俺": "我",
    "伍": "五",
}
_WRONG_RE = re.compile("|".join(sorted(map(re.escape, _WRONG), key=len, reverse=True)))
# Politeness that carries no question. Only taken off at the ends, so that it cannot eat content.
_OPENING = re.compile(
    r"^(?:(?:你|您)们?好|在吗|在不在|律师(?:同志|先生|您好)?|法问|请问(?:一下)?|请教(?:一下|个问题)?|麻烦(?:你|您)?(?:问一下|问下)?"
    r"|(?:我)?(?:想|要)?(?:问|咨询|了解)(?:一下|下|个问题|个事)?|老师|同志|打扰(?:一下|了)?|那个|嗯+|呃+|就是说|是这样的?|有个(?:事|问题)"
    r"|帮我(?:看看|问问|查查)|[啊呀哎唉喂]+)+"
)
_CLOSING = re.compile(
    r"(?:谢谢(?:你|您|律师|了|啦)*|多谢|感谢|求(?:助|解|解答|帮助|告知)|拜托了?|急(?:急|等|!)*|在线等|望(?:解答|回复|告知)|[啊呀呢哦哈嘛呗]+)+$"
)
# Control and format characters, surrogates, private use: nothing a reader sees.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\uffff]"
)
_KEEP = re.compile(r"[^0-9a-z一-鿿㐀-䶿]+")


# The characters of the national standard GB 2312 are simplified ones, but for these, which are both; 坏 is not among them:
# converting it only does harm (打坏 would become 打坯).
_AMBIGUOUS = re.compile("[乾菸薹拚捱摺吒後徵夥榘於袷麴醣麽沈覆藉哩]")


@lru_cache(maxsize=1)
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _simplified(text: str) -> str:
    """Text in simplified characters; nearly every message is, and finding that out is cheaper than converting it."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return str(_converter().convert(text))
    return str(_converter().convert(text)) if _AMBIGUOUS.search(text) else text


# A turn tidies the same text when it looks ahead, when it decides, and when it listens.
@lru_cache(maxsize=128)
def tidy(text: str) -> str:
    """NFKC, simplified characters, lower case, no control characters; still a readable sentence."""
    folded = unicodedata.normalize("NFKC", text)
    printable = _UNPRINTABLE.sub(" ", folded)
    return " ".join(_simplified(printable).lower().split())


# Ahead of its turn and within it.
@lru_cache(maxsize=128)
def normalise(text: str) -> str:
    """What search compares: tidy, politeness off, common wrong characters mended, letters and digits only."""
    clean = tidy(text)
    if len(clean) > HEAD + TAIL:
        clean = f"{clean[:HEAD]} {clean[-TAIL:]}"
    bare = _KEEP.sub("", clean)
    trimmed = _CLOSING.sub("", _OPENING.sub("", bare))
    if len(trimmed) < SHORTEST:
        trimmed = bare  # 律师费 is no greeting
    return _WRONG_RE.sub(lambda match: _WRONG[match[0]], trimmed)
