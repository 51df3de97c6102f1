"""Two nets for danger: rules that also name its kind (`rules.yaml`), and what was learned from phrases (`net.py`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from knowledge.danger.net import WIDE, Net, load_net, windows
from knowledge.foreseen import Foreseen
from knowledge.search.normalise import tidy
from knowledge.search.parts import asides

RULES = Path(__file__).parent / "rules.yaml"
# A sign or a space ends a clause; voice input and hurried fingers leave most of them out.
_BREAKS = re.compile(r"[\W_]+")
_WORD = re.compile(r"\{([a-z]+)\}")
_NEVER = r"(?!)"
# Longer stories are heard by their beginning and their end, as they are searched.
_HEAD, _TAIL = 400, 200
# A few characters (“我下班了”) say too little to be taken for danger as easily; nor does what stands apart, or is cut
# out of the middle, tell all.
_SHORT, _DOUBT = 8, 0.7
_APART, _CUT_OUT = 0.7, 1.5
# Sure signs in a short message count unless the net is this calm (“不想活了这材料改第九遍了”), likely ones where it hears
# anything near to danger.
_CALM = -3.0
_MENTION = re.compile(
    r"自杀|轻生|跳楼|喝农药|家暴|家庭暴力|强奸|性侵|猥亵|虐待|威胁.{0,6}(?:杀|弄死)|打我|打老婆|打妻子|打孩子|抑郁"
)
_MENTION_LEAD = "（您或身边的人眼下有危险，先打110；受伤打120；心里难受打12356。）\n"
# The kind of what only the learned net hears: its reply must suit all of them.
UNNAMED = "alarm"


class Danger(msgspec.Struct, frozen=True):
    """One kind of danger, and what is said at once."""

    name: str
    reply: str


class _Kind(msgspec.Struct, frozen=True):
    """How one kind of danger sounds: `likely` signs yield to `unless`, `sure` ones to none."""

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
        self._cries = self._any(raw["cries"])
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

    def surely(self, plain: str) -> Danger | None:
        """The kind of danger that a plain message names beyond doubt."""
        return next((kind.danger for kind in self._kinds if kind.sure.search(plain)), None)

    def likely(self, plain: str) -> Danger | None:
        """The kind of danger that a plain message sounds like, unless it speaks of law, of others or of the past."""
        if self._not_now.search(plain):
            return None
        heard = (kind for kind in self._kinds if kind.likely.search(plain))
        return next((kind.danger for kind in heard if not kind.unless.search(plain)), None)

    def cry(self, plain: str) -> Danger | None:
        """Danger without a name, if a plain message calls for help."""
        return self.unnamed if self._cries.search(plain) else None

    def __call__(self, plain: str) -> Danger | None:
        """The danger that a plain message speaks of as happening now, if any."""
        return self.surely(plain) or self.likely(plain) or self.cry(plain)


def _listened_to(message: str) -> str:
    text = tidy(message)
    return text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]} {text[-_TAIL:]}"


class Heard(NamedTuple):
    """What was heard; `near`: perhaps meant so, though not surely enough to keep the answer back."""

    danger: Danger | None
    near: bool


class _Read(NamedTuple):
    """A message as both nets read it: the whole, what stands beside its questions, what is seen through the window."""

    plain: str
    apart: list[str]
    within: list[str]


class Ear:
    """Both nets: what they hear in the whole message, in what stands beside its other questions, or anywhere within."""

    def __init__(self, rules: Rules, net: Net) -> None:
        self._rules = rules
        self._net = net

    def __call__(self, message: str) -> Heard:
        """What is heard in a message."""
        return self.all([message])[0]

    def all(self, messages: Sequence[str]) -> list[Heard]:
        """What is heard in each message."""
        read = list(map(self._read, messages))
        texts = list(dict.fromkeys(text for one in read for text in (one.plain, *one.apart, *one.within)))
        scores = dict(zip(texts, self._net.scores(texts), strict=True))
        return [self._heard(one, scores) for one in read]

    def _read(self, message: str) -> _Read:
        text = _listened_to(message)
        plain = self._rules.plain(text)
        return _Read(plain, list(map(self._rules.plain, asides(text))), windows(plain))

    def _heard(self, read: _Read, scores: Mapping[str, float]) -> Heard:
        score = scores[read.plain]
        # Among other matters danger is drowned out, and who speaks in one breath sets no signs.
        within = max(map(scores.__getitem__, read.within), default=score)
        near = score >= self._net.near_from or within >= self._net.alarm_from + _DOUBT
        found = self._named(read.plain, score)
        if found is None:
            found = next(filter(None, (self._named(part, scores[part], _APART) for part in read.apart)), None)
        # A cry counts by what is near it, however calm the rest.
        if found is None and within >= self._net.near_from:
            found = self._rules.cry(read.plain)
        if found is None and within >= self._net.alarm_from + _CUT_OUT:
            found = self._rules.unnamed
        return Heard(found, near)

    def _named(self, plain: str, score: float, doubt: float = 0.0) -> Danger | None:
        # A long calm story must not silence a plain word in its midst.
        named = self._rules.surely(plain) if score >= _CALM or len(plain) > WIDE else None
        if named is None and score >= self._net.near_from:
            named = self._rules.likely(plain) or self._rules.cry(plain)
        enough = self._net.alarm_from + doubt + _DOUBT * (len(plain) <= _SHORT)
        return named or (self._rules.unnamed if score >= enough else None)


@lru_cache(maxsize=1)
def rules() -> Rules:
    """The shipped rules, compiled when first needed."""
    return Rules()


@lru_cache(maxsize=1)
def _ear() -> Ear:
    return Ear(rules(), load_net(rules().words))


# A turn looks for danger first, and later for what to put before its answer.
_heard: Foreseen[str, Heard] = Foreseen(lambda messages: _ear().all(messages))


def listen(messages: Iterable[str]) -> None:
    """Hear many messages at once, which takes half the time, that `danger` will be asked about soon."""
    _heard.ahead(messages)


def danger(message: str) -> Danger | None:
    """The danger a message speaks of as happening now, if any."""
    return _heard(message).danger


def mention(message: str) -> str:
    """A line to put before an answer that touches on danger; empty otherwise."""
    return _MENTION_LEAD if _MENTION.search(message) or _heard(message).near else ""
