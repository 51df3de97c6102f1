"""How the first message of a consultation was answered is counted along the indexes of the log, too.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SORTS = ("channel", "kind", "handed", "urgent", "outcome", "verdict", "grade", "service", "handled_by")
_PLACES = ("township", "category")


def upgrade() -> None:
    """Make two indexes of the log anew, with the column that the rate of first answers is filtered by."""
    op.drop_index("ix_consultations_newest", table_name="consultations")
    op.drop_index("ix_consultations_places", table_name="consultations")
    along = [*_SORTS, *_PLACES, "entry_id", "first_outcome"]
    op.create_index("ix_consultations_newest", "consultations", ["opened_at", "id", *along])
    places = [*_PLACES, *_SORTS, "entry_id", "first_outcome", "opened_at"]
    op.create_index("ix_consultations_places", "consultations", places)
