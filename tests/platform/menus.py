"""The limits of the account's menu."""

from __future__ import annotations

from tests.platform.refusal import RefusalError
from tests.platform.shapes import Button, Menu

MAX_BUTTONS, MAX_NAME = 3, 4
MAX_SUB_BUTTONS, MAX_SUB_NAME = 5, 8
MAX_KEY_BYTES = 128
MAX_URL_BYTES = 1024


def check(menu: Menu) -> None:
    """Refuse a menu the platform would not show."""
    _require(40016, that=1 <= len(menu.button) <= MAX_BUTTONS)
    for button in menu.button:
        _require(40018, that=1 <= len(button.name) <= MAX_NAME)
        if not button.sub_button:
            _check_action(button)
            continue
        _require(40023, that=len(button.sub_button) <= MAX_SUB_BUTTONS)
        for child in button.sub_button:
            _require(40025, that=1 <= len(child.name) <= MAX_SUB_NAME)
            _require(40023, that=not child.sub_button)
            _check_action(child)


def find(menu: Menu | None, name: str) -> Button:
    """The button of this name that does something when pressed."""
    top = menu.button if menu else []
    for button in [child for parent in top for child in (parent.sub_button or [parent])]:
        if button.name == name:
            return button
    message = f"no menu button {name!r}"
    raise LookupError(message)


def _check_action(button: Button) -> None:
    _require(40017, that=button.type is not None)
    if button.type == "click":
        _require(40019, that=1 <= len((button.key or "").encode()) <= MAX_KEY_BYTES)
    else:
        url = button.url or ""
        _require(40020, that=url.startswith(("http://", "https://")) and len(url.encode()) <= MAX_URL_BYTES)


def _require(errcode: int, *, that: bool) -> None:
    if not that:
        raise RefusalError(errcode)
