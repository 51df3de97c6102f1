"""Two nets for danger: rules that also name its kind (`rules.yaml`), and what was learned from phrases (`net.py`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from knowledge.danger.net import Net, load_net
from knowledge.search.normalise import tidy
from knowledge.search.parts import asides

RULES = Path(__file__).parent / "rules.yaml"
# A sign or a space ends a clause; voice input and hurried fingers leave most of them out.
_BREAKS = re.compile(r"[\W_]+")
_WORD = re.compile(r"\{([a-z]+)\}")
_NEVER = r"(?!)"
# Longer stories are heard by their beginning and their end, as they are searched.
_HEAD, _TAIL = 400, 200
# A few characters (“我下班了”) say too little to be taken for danger as easily.
_SHORT, _DOUBT = 8, 0.7
_MENTION = re.compile(
    r"自杀|轻生|跳楼|喝农药|家暴|家庭暴力|强奸|性侵|猥亵|虐待|威胁.{0,6}(?:杀|弄死)|打我|打老婆|打妻子|打孩子|抑郁"
)
_MENTION_LEAD = "（您或身边的人眼下有危险，先打110；受伤打120；心里难受打12356。）\n"
# The kind of what only the learned net hears: its reply must suit all of them.
UNNAMED = "alarm"


@dataclass(frozen=True, slots=True)
class Danger:
    """One kind of danger, and what is said at once."""

    name: str
    reply: str


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of danger sounds: `likely` signs yield to `unless`, `sure` ones to nothing."""

    danger: Danger
    sure: re.Pattern[str]
    likely: re.Pattern[str]
    unless: re.Pattern[str]


class Rules:
    """What is known of danger beforehand, read from one file."""

    def __init__(self, path: Path = RULES) -> None:
        """Compile the rules; re.error or KeyError on a malformed one."""
        raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.words: dict[str, str] = raw["words"]
        self._mend: dict[str, str] = raw["mend"]
        self._wrong = re.compile("|".join(sorted(map(re.escape, self._mend), key=len, reverse=True)))
        self._idioms = self._any(raw["idioms"])
        self._not_now = self._any(raw["not_now"])
        self._kinds = [self._kind(one) for one in raw["kinds"]]
        self.unnamed = Danger(UNNAMED, raw["unnamed"].strip())

    def _kind(self, raw: dict[str, Any]) -> _Kind:
        found = Danger(raw["name"], raw["reply"].strip())
        sure, likely, unless = (self._any(raw.get(name, ())) for name in ("sure", "likely", "unless"))
        return _Kind(found, sure, likely, unless)

    def _any(self, signs: list[str] | tuple[()]) -> re.Pattern[str]:
        written = "|".join(f"(?:{_WORD.sub(lambda word: self.words[word[1]], sign)})" for sign in signs) or _NEVER
        return re.compile(written.replace("~", "[^，]{0,8}").replace("…", ".{0,24}"))

    def plain(self, message: str) -> str:
        """A message as both nets read it: mended, ways of speaking out, every run of signs and spaces one “，”."""
        text = _listened_to(message)
        mended = self._wrong.sub(lambda wrong: self._mend[wrong[0]], _BREAKS.sub("，", text))
        return self._idioms.sub("，", mended).strip("，")

    def __call__(self, plain: str) -> Danger | None:
        """The kind of danger that a plain message speaks of as happening now, if any."""
        for kind in self._kinds:
            if kind.sure.search(plain):
                return kind.danger
        calm = self._not_now.search(plain) is not None
        heard = () if calm else (kind for kind in self._kinds if kind.likely.search(plain))
        return next((kind.danger for kind in heard if not kind.unless.search(plain)), None)


def _listened_to(message: str) -> str:
    text = tidy(message)
    return text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]} {text[-_TAIL:]}"


class Heard(NamedTuple):
    """What was heard; `near`: perhaps meant so, though not surely enough to keep the answer back."""

    danger: Danger | None
    near: bool


class Ear:
    """Both nets: what either catches is danger, in the whole message or in what stands beside its other questions."""

    def __init__(self, rules: Rules, net: Net) -> None:
        self._rules = rules
        self._net = net

    def __call__(self, message: str) -> Heard:
        """What is heard in a message."""
        whole = self._hear(message)
        if whole.danger is not None:
            return whole
        # Among other matters danger is drowned out.
        apart = (self._hear(aside).danger for aside in asides(_listened_to(message)))
        return whole._replace(danger=next(filter(None, apart), None))

    def _hear(self, message: str) -> Heard:
        plain = self._rules.plain(message)
        found, score = self._rules(plain), self._net.score(plain)
        if found is None and score >= self._net.alarm_from + _DOUBT * (len(plain) <= _SHORT):
            found = self._rules.unnamed
        return Heard(found, near=score >= self._net.near_from)


@lru_cache(maxsize=1)
def rules() -> Rules:
    """The shipped rules, compiled when first needed."""
    return Rules()


@lru_cache(maxsize=1)
def _ear() -> Ear:
    return Ear(rules(), load_net(rules().words))


# A turn looks for danger first, and later for what to put before its answer.
@lru_cache(maxsize=32)
def _heard(message: str) -> Heard:
    return _ear()(message)


def danger(message: str) -> Danger | None:
    """The danger a message speaks of as happening now, if any."""
    return _heard(message).danger


def mention(message: str) -> str:
    """A line to put before an answer that touches on danger; empty otherwise."""
    return _MENTION_LEAD if _MENTION.search(message) or _heard(message).near else ""
