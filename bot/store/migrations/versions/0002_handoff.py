"""Staff, handoffs and their messages, media, notices, ratings, audit; the outbox learns order and authors.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the workbench, and widen those that are there."""
    op.create_table('staff',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('login', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=32), nullable=False, comment='as citizens read it'),
    sa.Column('role', sa.String(length=16), nullable=False, comment='lawyer, supervisor, staff, admin'),
    sa.Column('password', sa.String(length=160), nullable=False, comment='argon2id'),
    sa.Column('covers', sa.Text(), nullable=False, comment='subjects taken first, JSON list; empty list: all'),
    sa.Column('on_duty', sa.Boolean(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False, comment='last sign of life on the workbench'),
    sa.Column('citizen_id', sa.String(length=36), nullable=True, comment='their own WeChat, once bound'),
    sa.Column('attending', sa.String(length=36), nullable=False, comment='the handoff their WeChat messages go to'),
    sa.Column('failures', sa.Integer(), nullable=False, comment='wrong passwords since the last right one'),
    sa.Column('locked_until', sa.BigInteger(), nullable=False),
    sa.Column('disabled_at', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_staff_citizen_id_citizens')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff')),
    sa.UniqueConstraint('citizen_id', name=op.f('uq_staff_citizen_id')),
    sa.UniqueConstraint('login', name=op.f('uq_staff_login'))
    )
    op.create_table('audit',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=True, comment='none: an unknown login, or the command line'),
    sa.Column('action', sa.String(length=32), nullable=False),
    sa.Column('citizen_id', sa.String(length=36), nullable=True),
    sa.Column('subject', sa.String(length=64), nullable=False, comment='the row acted on'),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_audit_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_audit_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit'))
    )
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.create_index('ix_audit_at', ['at'], unique=False)
        batch_op.create_index('ix_audit_citizen', ['citizen_id'], unique=False)
        batch_op.create_index('ix_audit_subject', ['subject', 'at'], unique=False)

    op.create_table('bindings',
    sa.Column('code', sa.String(length=64), nullable=False, comment='what the scanned code carries'),
    sa.Column('staff_id', sa.String(length=36), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_bindings_staff_id_staff')),
    sa.PrimaryKeyConstraint('code', name=op.f('pk_bindings'))
    )
    op.create_table('handoffs',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('citizen_id', sa.String(length=36), nullable=False),
    sa.Column('consultation_id', sa.String(length=36), nullable=True),
    sa.Column('channel', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False, comment='asking, waiting, held, closed'),
    sa.Column('version', sa.Integer(), nullable=False, comment='grows with every change: two claims cannot both win'),
    sa.Column('urgent', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.String(length=16), nullable=False, comment='asked, offered, rated_bad, danger'),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('category', sa.String(length=64), nullable=False),
    sa.Column('township', sa.String(length=64), nullable=False),
    sa.Column('question', sa.String(length=200), nullable=False, comment="the citizen's words that led here"),
    sa.Column('lawyer_id', sa.String(length=36), nullable=True),
    sa.Column('asked_at', sa.BigInteger(), nullable=False),
    sa.Column('queued_at', sa.BigInteger(), nullable=True, comment='when the wait began that counts for the order'),
    sa.Column('claimed_at', sa.BigInteger(), nullable=True),
    sa.Column('first_reply_at', sa.BigInteger(), nullable=True),
    sa.Column('citizen_at', sa.BigInteger(), nullable=False, comment="the citizen's last message"),
    sa.Column('lawyer_at', sa.BigInteger(), nullable=True, comment="the lawyer's last message since the claim"),
    sa.Column('escalation', sa.Integer(), nullable=False, comment='0 covering lawyers, 1 everyone on duty, 2 supervisors told'),
    sa.Column('returns', sa.Integer(), nullable=False, comment='how often it went back to the queue'),
    sa.Column('promised_at', sa.BigInteger(), nullable=True, comment='off duty: when a lawyer will look'),
    sa.Column('messages', sa.Integer(), nullable=False, comment='number of the last message'),
    sa.Column('read', sa.Integer(), nullable=False, comment='number of the last message the lawyer saw'),
    sa.Column('ended', sa.String(length=16), nullable=False, comment='settled, cancelled, idle, abandoned, timed_out, left'),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_handoffs_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_handoffs_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['lawyer_id'], ['staff.id'], name=op.f('fk_handoffs_lawyer_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_handoffs'))
    )
    with op.batch_alter_table('handoffs', schema=None) as batch_op:
        batch_op.create_index('ix_handoffs_lawyer_state', ['lawyer_id', 'state'], unique=False)
        batch_op.create_index('ix_handoffs_state_queued', ['state', 'queued_at'], unique=False)
        batch_op.create_index('uq_handoffs_citizen_open', ['citizen_id'], unique=True, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))

    op.create_table('quick_replies',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=True, comment='none: shared by all'),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_quick_replies_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quick_replies'))
    )
    op.create_table('sessions',
    sa.Column('id', sa.String(length=64), nullable=False, comment="SHA-256 of the cookie's token"),
    sa.Column('staff_id', sa.String(length=36), nullable=False),
    sa.Column('agent', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_sessions_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sessions'))
    )
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.create_index('ix_sessions_staff', ['staff_id'], unique=False)

    op.create_table('shifts',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=False),
    sa.Column('day', sa.String(length=10), nullable=False, comment='YYYY-MM-DD in the county'),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_shifts_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shifts')),
    sa.UniqueConstraint('staff_id', 'day', name=op.f('uq_shifts_staff_id_day'))
    )
    with op.batch_alter_table('shifts', schema=None) as batch_op:
        batch_op.create_index('ix_shifts_day', ['day'], unique=False)

    op.create_table('handoff_events',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('handoff_id', sa.String(length=36), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False, comment="the handoff's version it led to"),
    sa.Column('event', sa.String(length=16), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=True, comment='who did it; none: the citizen or the clock'),
    sa.Column('other_id', sa.String(length=36), nullable=True, comment='to whom, or from whom'),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['handoff_id'], ['handoffs.id'], name=op.f('fk_handoff_events_handoff_id_handoffs')),
    sa.ForeignKeyConstraint(['other_id'], ['staff.id'], name=op.f('fk_handoff_events_other_id_staff')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_handoff_events_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_handoff_events')),
    sa.UniqueConstraint('handoff_id', 'number', name=op.f('uq_handoff_events_handoff_id_number'))
    )
    op.create_table('media',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('citizen_id', sa.String(length=36), nullable=False),
    sa.Column('inbox_id', sa.String(length=36), nullable=False),
    sa.Column('platform_id', sa.String(length=128), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False, comment='noted, waiting, stored, failed'),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('content_type', sa.String(length=64), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('error', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_media_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_media_inbox_id_inbox')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_media')),
    sa.UniqueConstraint('inbox_id', name=op.f('uq_media_inbox_id'))
    )
    with op.batch_alter_table('media', schema=None) as batch_op:
        batch_op.create_index('ix_media_state_due', ['state', 'due_at'], unique=False)

    op.create_table('notices',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('handoff_id', sa.String(length=36), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=True, comment='none: the group robot'),
    sa.Column('way', sa.String(length=16), nullable=False, comment='template, robot'),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False, comment='waiting, sent, failed'),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(length=200), nullable=False),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['handoff_id'], ['handoffs.id'], name=op.f('fk_notices_handoff_id_handoffs')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_notices_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notices'))
    )
    with op.batch_alter_table('notices', schema=None) as batch_op:
        batch_op.create_index('ix_notices_state_due', ['state', 'due_at'], unique=False)

    op.create_table('ratings',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('citizen_id', sa.String(length=36), nullable=False),
    sa.Column('consultation_id', sa.String(length=36), nullable=True),
    sa.Column('handoff_id', sa.String(length=36), nullable=True),
    sa.Column('grade', sa.Integer(), nullable=False, comment='5 very satisfied … 1 very dissatisfied'),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('given_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_ratings_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_ratings_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['handoff_id'], ['handoffs.id'], name=op.f('fk_ratings_handoff_id_handoffs')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ratings')),
    sa.UniqueConstraint('handoff_id', name=op.f('uq_ratings_handoff_id'))
    )
    op.create_table('handoff_messages',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('handoff_id', sa.String(length=36), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False, comment='1, 2, 3 … within the handoff: the order, whatever clocks say'),
    sa.Column('author', sa.String(length=16), nullable=False, comment='citizen, bot, lawyer, note, system'),
    sa.Column('staff_id', sa.String(length=36), nullable=True),
    sa.Column('kind', sa.String(length=16), nullable=False, comment='text, image, voice …'),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('entry_id', sa.String(length=64), nullable=False, comment='the entry a lawyer sent as their own answer'),
    sa.Column('media_id', sa.String(length=36), nullable=True),
    sa.Column('key', sa.String(length=64), nullable=False, comment='made by the workbench: a repeated send is the same message'),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['handoff_id'], ['handoffs.id'], name=op.f('fk_handoff_messages_handoff_id_handoffs')),
    sa.ForeignKeyConstraint(['media_id'], ['media.id'], name=op.f('fk_handoff_messages_media_id_media')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_handoff_messages_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_handoff_messages')),
    sa.UniqueConstraint('handoff_id', 'key', name=op.f('uq_handoff_messages_handoff_id_key')),
    sa.UniqueConstraint('handoff_id', 'number', name=op.f('uq_handoff_messages_handoff_id_number'))
    )

    # Plain ADD COLUMN: rebuilding these on SQLite would drop tables that others refer to.
    op.add_column('citizens', sa.Column('allowance', sa.Integer(), nullable=False, server_default='0', comment='messages the platform still takes from us'))
    op.add_column('citizens', sa.Column('window_until', sa.BigInteger(), nullable=False, server_default='0', comment='until when it takes them; 0: before any act'))
    op.add_column('consultations', sa.Column('service', sa.String(length=16), nullable=False, server_default='', comment="what a lawyer's closing came to; empty while none closed it"))
    op.add_column('consultations', sa.Column('summary', sa.Text(), nullable=False, server_default='', comment="the lawyer's own words"))
    op.add_column('consultations', sa.Column('minutes', sa.Integer(), nullable=False, server_default='0', comment='time a lawyer spent'))
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.add_column(sa.Column('place', sa.Integer(), nullable=False, server_default='0', comment='1, 2, 3 … for one citizen: the order of sending'))
        batch_op.add_column(sa.Column('message_id', sa.String(length=36), nullable=True, comment='the message this is (a part of)'))
        batch_op.alter_column('inbox_id', existing_type=sa.String(length=36), nullable=True)
    op.execute(
        'UPDATE outbox SET place = (SELECT count(*) FROM outbox AS earlier '
        'WHERE earlier.citizen_id = outbox.citizen_id AND earlier.id <= outbox.id)'
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_message', ['message_id'], unique=False)
        batch_op.create_unique_constraint(batch_op.f('uq_outbox_citizen_id_place'), ['citizen_id', 'place'])
        batch_op.create_foreign_key(batch_op.f('fk_outbox_message_id_handoff_messages'), 'handoff_messages', ['message_id'], ['id'])
