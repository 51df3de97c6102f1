"""What became of bad ratings: given to somebody, answered, visited again, closed; a few still open."""

from __future__ import annotations

from datetime import date

from bot.conversation.handoff.duty import Hours
from bot.conversation.turn import LOCAL
from bot.service.demo import words
from bot.service.demo.people import stamp_id
from bot.service.demo.stories import MINUTE, Story
from bot.store.times import from_ms

_BAD = 2
_DAY = 24 * 60 * MINUTE
_DAYS_TO_DO = 5
_DONE = 0.9
_RESPONSIBLE = "demo-gao"


def amend(story: Story, hours: Hours, until: int) -> None:
    """Open a rectification for a bad rating, and let it end if there was time for it before `until`."""
    for rating in story.rows.get("ratings", []):
        if rating["grade"] > _BAD:
            continue
        opened = rating["given_at"]
        replied, visited = opened + _DAY + story.random.randrange(_DAY), opened + 3 * _DAY
        closed = visited + story.random.randrange(MINUTE, _DAY)
        done = story.random.random() < _DONE and closed < until
        story.add(
            "rectifications",
            {
                "id": stamp_id(story.random, opened),
                "rating_id": rating["id"],
                "consultation_id": story.row["id"],
                "citizen_id": story.person.id,
                "staff_id": _RESPONSIBLE,
                "state": "closed" if done else "open",
                "due_on": hours.after(_day(opened), _DAYS_TO_DO).isoformat(),
                "measures": words.MEASURES if done else "",
                "reply": words.AMENDED if done else "",
                "visit": words.VISITED if done else "",
                "visit_grade": 4 if done else 0,
                "proof": words.PROOF if done else "",
                "version": 4 if done else 1,
                "rounds": 0,
                "opened_at": opened,
                "visit_asked_at": replied if done else None,
                "replied_at": replied if done else None,
                "visited_at": visited if done else None,
                "closed_at": closed if done else None,
            },
        )


def _day(moment: int) -> date:
    return from_ms(moment).astimezone(LOCAL).date()
