"""Charts as plain SVG: presentation attributes only, wide enough to be read on a phone, in print also without colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

WIDTH = 330
_FONT = 14
_SMALL = 11
INK, SOFT, LINE, NOW, BEFORE = "#191919", "#5c5c5c", "#d5d5d5", "#067a3e", "#9aa7b8"
_BAR, _GAP = 20, 8
_LABEL = 102
_COLUMNS_HIGH = 150
_CROWDED = 16
_HEAT_LEFT, _HEAT_TOP = 36, 18


def bars(title: str, rows: Sequence[tuple[str, float, str]]) -> Markup:
    """Horizontal bars: label, length, and the words at the bar's end."""
    most = max((value for _, value, _ in rows), default=0) or 1
    room = WIDTH - _LABEL - 60
    drawn = []
    for number, (label, value, words) in enumerate(rows):
        top = number * (_BAR + _GAP)
        middle = top + _BAR - 5
        drawn += [
            _text(_LABEL - 6, middle, _short(label), anchor="end"),
            _rect(_LABEL, top, max(room * value / most, 1), _BAR, NOW, f"{label} {words}"),
            _text(_LABEL + room * value / most + 5, middle, words),
        ]
    return _svg(title, len(rows) * (_BAR + _GAP), drawn)


def columns(title: str, rows: Sequence[tuple[str, int, int]]) -> Markup:
    """Columns of this period before those of the year before: label, now, before."""
    most = max((max(now, before) for _, now, before in rows), default=0) or 1
    step = WIDTH / max(len(rows), 1)
    wide = min(step * 0.38, 24)
    every = 1 if len(rows) <= _CROWDED else len(rows) // 8
    drawn = [_line(0, _COLUMNS_HIGH, WIDTH, _COLUMNS_HIGH), _text(0, 10, f"{most:,}", size=_SMALL, fill=SOFT)]
    for number, (label, now, before) in enumerate(rows):
        middle = step * number + step / 2
        for left, value, fill in ((middle - wide - 1, before, BEFORE), (middle + 1, now, NOW)):
            high = (_COLUMNS_HIGH - 16) * value / most
            drawn.append(_rect(left, _COLUMNS_HIGH - high, wide, high, fill, f"{label} {value:,}"))
        if number % every == 0:
            drawn.append(_text(middle, _COLUMNS_HIGH + 15, label, anchor="middle", size=_SMALL))
    legend = _COLUMNS_HIGH + 36
    drawn += [
        _rect(0, legend - 10, 12, 12, BEFORE, ""),
        _text(17, legend, "上年同期"),
        _rect(92, legend - 10, 12, 12, NOW, ""),
        _text(109, legend, "本期"),
    ]
    return _svg(title, legend + 8, drawn)


def heat(title: str, names: Sequence[str], grid: Sequence[Sequence[int]]) -> Markup:
    """Weekdays by hours, the darker the more."""
    most = max((value for row in grid for value in row), default=0) or 1
    wide, high = (WIDTH - _HEAT_LEFT) / 24, 22
    drawn = [
        _text(_HEAT_LEFT + wide * hour + wide / 2, 12, str(hour), anchor="middle", size=_SMALL, fill=SOFT)
        for hour in range(0, 24, 3)
    ]
    for number, (name, row) in enumerate(zip(names, grid, strict=True)):
        top = _HEAT_TOP + number * high
        drawn.append(_text(0, top + 15, name, size=_SMALL))
        for hour, value in enumerate(row):
            words = f"{name}{hour}时 {value:,}人次"
            drawn.append(_rect(_HEAT_LEFT + wide * hour, top, wide - 1, high - 1, _shade(value / most), words))
    return _svg(title, _HEAT_TOP + len(names) * high, drawn)


def progress(title: str, rows: Sequence[tuple[str, float, str]]) -> Markup:
    """Shares of a task: the line marks 100 %."""
    most = max(1.0, *(share for _, share, _ in rows)) if rows else 1.0
    room = WIDTH - _LABEL - 60
    full = _LABEL + room / most
    drawn = []
    for number, (label, share, words) in enumerate(rows):
        top = number * (_BAR + _GAP)
        drawn += [
            _text(_LABEL - 6, top + _BAR - 5, _short(label), anchor="end"),
            _rect(_LABEL, top, max(room * share / most, 1), _BAR, NOW if share >= 1 else "#b06a00", f"{label} {words}"),
            # Beside the bar, and not across the line.
            _text((full if share < 1 else _LABEL + room * share / most) + 5, top + _BAR - 5, words),
        ]
    high = len(rows) * (_BAR + _GAP)
    return _svg(title, high, [*drawn, _line(full, 0, full, high - _GAP, INK)])


def _svg(title: str, high: float, drawn: Iterable[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {} {}" xmlns="http://www.w3.org/2000/svg"><title>{}</title>{}</svg>'
    ).format(WIDTH, round(high + 2), title, Markup("").join(drawn))


def _rect(left: float, top: float, wide: float, high: float, fill: str, words: str) -> Markup:
    title = Markup("<title>{}</title>").format(words) if words else ""
    shape = Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}">{}</rect>')
    return shape.format(_n(left), _n(top), _n(wide), _n(high), fill, title)


def _text(left: float, base: float, words: str, *, anchor: str = "start", size: int = _FONT, fill: str = INK) -> Markup:
    shape = Markup('<text x="{}" y="{}" font-size="{}" text-anchor="{}" fill="{}">{}</text>')
    return shape.format(_n(left), _n(base), size, anchor, fill, escape(words))


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str = LINE) -> Markup:
    shape = Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="1.5"/>')
    return shape.format(_n(x1), _n(y1), _n(x2), _n(y2), stroke)


def _shade(part: float) -> str:
    """White to the accent colour."""
    light, dark = (0xF1, 0xF4, 0xF2), (0x06, 0x6B, 0x37)
    mixed = (round(a + (b - a) * part) for a, b in zip(light, dark, strict=True))
    return "#" + "".join(f"{one:02x}" for one in mixed)


def _short(label: str) -> str:
    """As much as fits before the bar."""
    return label if len(label) <= 7 else label[:6] + "…"  # noqa: PLR2004 - seven characters of 14 px


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
