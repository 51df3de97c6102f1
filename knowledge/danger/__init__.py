"""Danger in a message: whether it speaks of danger now, and what is said at once, hotline first."""

from knowledge.danger.ear import Danger, danger, listen, mention

__all__ = ["Danger", "danger", "listen", "mention"]
