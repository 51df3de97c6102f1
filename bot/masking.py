"""Hide what tells who somebody is: names, numbers of people, accounts and vehicles, house numbers. Pure.

A mask has as many characters as what it hides; the first one to three stay, so that two people can be told apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Span = tuple[int, int]
STAR = "*"

# Rules look at a shadow of the text, character for character as long: digits however written are plain ones there.
_SHADOW = str.maketrans(
    "０１２３４５６７８９" + "〇零一二三四五六七八九幺两" + "－—–―" + "：．＠＿",
    "0123456789" + "0012345678912" + "----" + ":.@_",
)
_KEPT = 3  # of a number: what kind it is, not whose
_ID_LENGTHS = {15, 18}
_MOBILE = re.compile(r"1[3-9]\d{9}")
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_MONEY = re.compile(r"\.\d|[ ]?(?:元|块|万|亿|美元|人民币|rmb)", re.IGNORECASE)
_MONEY_MOST = 10  # digits; what is longer belongs to somebody

_RUN = re.compile(r"\d{7,}[Xx]?")
_SPACED = re.compile(
    r"(?<!\d)(?:"
    r"1[3-9]\d[- .]?\d{4}[- .]?\d{4}"  # a mobile phone
    r"|0\d{2,3}\)?[- ]{1,2}\d{3,4}[- ]?\d{4}"  # a landline with its area code
    r"|[1-9]\d{5}[- ]?\d{4}[- ]?\d{4}[- ]?\d{3}[\dXx]"  # an identity number
    r"|[3-9]\d{3}(?:[- ]\d{4}){2,3}(?:[- ]?\d{1,7})?"  # a bank card
    r")(?!\d)"
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Za-z][·•‧・. -]?"
    r"([0-9A-Za-z]{4,5}[0-9A-Za-z挂学警港澳])(?![0-9A-Za-z])"
)
_MAIL = re.compile(r"(?<![0-9A-Za-z._%+\-])([0-9A-Za-z._%+\-]+)@[0-9A-Za-z][0-9A-Za-z.\-]*")
_LINK = r"(?:[ ]*(?:账号|帐号|号码|号|名|id|是|为|叫|:)){1,3}[ ]*"
_WORD = r"[A-Za-z0-9][A-Za-z0-9_\-]{4,}(?![A-Za-z0-9_\-]|[ ]?[元块万亿])"
_ACCOUNT = re.compile(
    r"(?<![A-Za-z0-9])(?:微信|薇信|威信|wechat|weixin|wx|vx|v信|qq|扣扣|抖音|快手|支付宝)"
    rf"(?:{_LINK}({_WORD})|[ ]*(?=[A-Za-z_\-]*\d)({_WORD}))",
    re.IGNORECASE,
)
# A house number, in whatever digits; 12-3, A.
_N = r"[0-9A-Za-z十百]{1,5}(?:[-之][0-9A-Za-z]{1,4})?"
_FLAT = rf"(?:{_N}(?:号楼|号院|栋|幢|座|单元|层|楼|室|户|号))"
# Not the number of a decree or a case, and no more of a figure that goes on with a unit.
_NO_UNIT = r"(?![0-9A-Za-z年月日天元块万亿%个人岁平米条款项])"
_HOMES = (
    re.compile(
        rf"(?:[村路街巷弄屯庄组沟营胡同]|大道)(?:门牌)?({_N}(?:号院?(?![令文公决函示]))(?:{_FLAT}{{0,4}}(?:{_N}{_NO_UNIT})?))"
    ),
    re.compile(
        rf"(?:小区|社区|花园|家园|嘉园|公寓|家属院|大院|新城|新村|苑)({_FLAT}{{1,5}}(?:{_N}{_NO_UNIT})?)(?![令文公决函示])"
    ),
    re.compile(rf"(?<![0-9A-Za-z])({_N}(?:号楼|栋|幢|座){_FLAT}{{1,4}}(?:{_N}{_NO_UNIT})?)"),
    re.compile(rf"(?<![0-9A-Za-z])({_N}单元(?:{_N}(?:层|楼|室|户|号)){{1,2}})"),
)
_HOUSE_DIGIT = re.compile(r"[0-9A-Za-z十百]")

_SURNAMES = (
    "欧阳|上官|司马|令狐|皇甫|尉迟|诸葛|司徒|"
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
    "金石廖贾夏韦付白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔汤焦靳郜牛申苗樊裴柴祁岳冀畅翟卫阎郎常]"
)
# No given name begins or goes on with these: the sentence does.
_GIVEN = r"(?:(?![的了是在我你您他她它们这那今住要想有没不就也都和与跟说把被给从到去来叫因为于还欠打骂借时])[一-龥])"
_NAME = rf"(?:{_SURNAMES})"
_SAID = re.compile(
    rf"(?:我的?名字叫|我的?名字是|名字是|名字叫|我名叫|名叫|我叫|姓名(?:是|为|叫|[:：])?[ ]*)({_NAME})({_GIVEN}{{1,2}})"
)
_COMMON = r"(?!马上|何时|何处|何种|何人|高级|高度|严重|严格|常常|周围|周末|金额|金钱|许多|许可|谢谢|程序|史上|毛病|万一|万元|钱款|石料|白天|黄金|江苏|段时|任何|任意|武力|贺兰|雷同|申请|申诉|苗木|田地|林地|江西|陆续|常年|温度|夏天)"
_ROLE = (
    r"(?:原告|被告|申请人|被申请人|当事人|联系人|收款人|收件人|户主|户名|债务人|债权人|借款人|欠款人|担保人|法定代表人|"
    r"老公|老婆|丈夫|妻子|前夫|前妻|儿子|女儿|父亲|母亲|爸爸|妈妈|爷爷|奶奶|哥哥|弟弟|姐姐|妹妹|老板|包工头|对方|邻居|同村|证人)"
)
_CALLED = re.compile(rf"{_ROLE}(?:叫|是|为|名叫|[:：])?[ ]*{_COMMON}({_NAME})({_GIVEN}{{1,2}})")
_I_AM = re.compile(
    rf"(?:我是|本人){_COMMON}((?:(?![高江任常石白金武])(?:{_SURNAMES})))({_GIVEN}{{1,2}})(?=[,，。;；.、 \n(（]|$)"
)


def mask(text: str) -> str:
    """The text with what identifies somebody starred out; masking again changes nothing, and the length stays."""
    while True:
        hidden = _hide(text)
        if hidden == text:
            return text
        text = hidden


def _hide(text: str) -> str:
    shadow = text.translate(_SHADOW)
    found = [span for rule in _NUMBERS for span in rule(shadow)]
    found += [match.span(2) for rule in _NAMES for match in rule.finditer(text)]
    if not found:
        return text
    chars = list(text)
    for start, end in found:
        chars[start:end] = STAR * (end - start)
    return "".join(chars)


def _runs(shadow: str) -> Iterator[Span]:
    """Long numbers: identity, phone, card, account. Days and sums of money stay."""
    for found in _RUN.finditer(shadow):
        digits = found[0].rstrip("Xx")
        day = len(digits) == len("20260101") and _DAY.fullmatch(digits)
        priced = len(digits) <= _MONEY_MOST and _MONEY.match(shadow, found.end())
        paid = len(digits) <= _MONEY_MOST and shadow[found.start() - 1 : found.start()] in {"¥", "￥", "$"}
        if _MOBILE.fullmatch(digits) or len(digits) in _ID_LENGTHS or not (day or priced or paid):
            yield found.start() + _KEPT, found.end()


def _spaced(shadow: str) -> Iterator[Span]:
    """Numbers written in groups; what stands between the groups stays."""
    for found in _SPACED.finditer(shadow):
        seen = 0
        for at in range(*found.span()):
            if shadow[at] in "0123456789Xx":
                seen += 1
                if seen > _KEPT:
                    yield at, at + 1


def _inside(pattern: re.Pattern[str], kept: int) -> Callable[[str], Iterator[Span]]:
    """What the pattern's groups hold, but for their first characters, if that leaves something to hide."""

    def rule(shadow: str) -> Iterator[Span]:
        for found in pattern.finditer(shadow):
            start, end = next(span for span in found.regs[1:] if span[0] >= 0)
            yield (start + kept if end - start > kept else start), end

    return rule


def _homes(pattern: re.Pattern[str]) -> Callable[[str], Iterator[Span]]:
    """The figures of a house number; village, road, 栋 and 单元 stay."""

    def rule(shadow: str) -> Iterator[Span]:
        for found in pattern.finditer(shadow):
            for digit in _HOUSE_DIGIT.finditer(shadow, *found.span(1)):
                yield digit.span()

    return rule


_NUMBERS: tuple[Callable[[str], Iterator[Span]], ...] = (
    _spaced,
    _runs,
    _inside(_PLATE, 0),
    _inside(_MAIL, 2),
    _inside(_ACCOUNT, 2),
    *map(_homes, _HOMES),
)
# The second group is the given name; the family name stays.
_NAMES = (_SAID, _CALLED, _I_AM)
