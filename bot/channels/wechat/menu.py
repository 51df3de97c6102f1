"""The account's menu: three kinds of question, a person, the chat page."""

from __future__ import annotations

from typing import Any


def menu() -> dict[str, Any]:
    """The menu as the platform wants it: at most three buttons of four characters, five below each of eight."""
    return {
        "button": [
            {
                "name": "问法律",
                "sub_button": [
                    {"type": "click", "name": "法律问题举例", "key": "legal"},
                    {"type": "click", "name": "转人工律师", "key": "human"},
                ],
            },
            {
                "name": "办事信访",
                "sub_button": [
                    {"type": "click", "name": "办证审批举例", "key": "approval"},
                    {"type": "click", "name": "信访问题举例", "key": "petition"},
                ],
            },
            {"type": "click", "name": "怎么用", "key": "help"},
        ]
    }
