"""Citizens, consultations, inbox, feedback, outbox.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table('citizens',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('channel', sa.String(length=16), nullable=False),
    sa.Column('address', sa.String(length=128), nullable=False, comment="openid, or the id in the chat page's cookie"),
    sa.Column('subscribed', sa.Boolean(), nullable=False),
    sa.Column('township', sa.String(length=64), nullable=False),
    sa.Column('state', sa.Text(), nullable=False, comment='where the conversation stands, JSON'),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_citizens')),
    sa.UniqueConstraint('channel', 'address', name=op.f('uq_citizens_channel_address'))
    )
    op.create_table('meta',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_meta'))
    )
    op.create_table('consultations',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('citizen_id', sa.String(length=36), nullable=False),
    sa.Column('channel', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False, comment='legal, petition, approval; empty while unknown'),
    sa.Column('category', sa.String(length=64), nullable=False),
    sa.Column('entry_id', sa.String(length=64), nullable=False),
    sa.Column('entry_version', sa.String(length=16), nullable=False),
    sa.Column('verdict', sa.String(length=16), nullable=False),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False, comment='answered, offered, unanswered, referred'),
    sa.Column('handled_by', sa.String(length=64), nullable=False, comment="bot, or a lawyer's account"),
    sa.Column('township', sa.String(length=64), nullable=False),
    sa.Column('urgent', sa.Boolean(), nullable=False),
    sa.Column('messages', sa.Integer(), nullable=False),
    sa.Column('opened_at', sa.BigInteger(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_consultations_citizen_id_citizens')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consultations'))
    )
    op.create_index('ix_consultations_citizen_open', 'consultations', ['citizen_id', 'closed_at'], unique=False)
    op.create_index('ix_consultations_opened_at', 'consultations', ['opened_at'], unique=False)
    op.create_table('feedback',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('citizen_id', sa.String(length=36), nullable=False),
    sa.Column('consultation_id', sa.String(length=36), nullable=True),
    sa.Column('entry_id', sa.String(length=64), nullable=False),
    sa.Column('useful', sa.Boolean(), nullable=False),
    sa.Column('given_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_feedback_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_feedback_consultation_id_consultations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feedback'))
    )
    op.create_index('ix_feedback_entry_id', 'feedback', ['entry_id'], unique=False)
    op.create_table('inbox',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('channel', sa.String(length=16), nullable=False),
    sa.Column('key', sa.String(length=160), nullable=False, comment="the platform's message id: one message, one row"),
    sa.Column('citizen_id', sa.String(length=36), nullable=False),
    sa.Column('consultation_id', sa.String(length=36), nullable=True),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('tap', sa.String(length=96), nullable=False),
    sa.Column('flow', sa.String(length=24), nullable=False),
    sa.Column('verdict', sa.String(length=16), nullable=False),
    sa.Column('entry_id', sa.String(length=64), nullable=False),
    sa.Column('entry_version', sa.String(length=16), nullable=False),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('reply', sa.Text(), nullable=False, comment='what was said, JSON; empty when nothing was'),
    sa.Column('sent_at', sa.BigInteger(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_inbox_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_inbox_consultation_id_consultations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbox')),
    sa.UniqueConstraint('channel', 'key', name=op.f('uq_inbox_channel_key'))
    )
    op.create_index('ix_inbox_citizen_received', 'inbox', ['citizen_id', 'received_at'], unique=False)
    op.create_index('ix_inbox_received_at', 'inbox', ['received_at'], unique=False)
    op.create_table('outbox',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('citizen_id', sa.String(length=36), nullable=False),
    sa.Column('inbox_id', sa.String(length=36), nullable=False),
    sa.Column('content', sa.Text(), nullable=False, comment='the reply, JSON'),
    sa.Column('state', sa.String(length=16), nullable=False, comment='waiting, sending, sent, held, uncertain, failed'),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(length=200), nullable=False),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('sent_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_outbox_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_outbox_inbox_id_inbox')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sa.UniqueConstraint('inbox_id', name=op.f('uq_outbox_inbox_id'))
    )
    op.create_index('ix_outbox_citizen_state', 'outbox', ['citizen_id', 'state'], unique=False)
    op.create_index('ix_outbox_state_due', 'outbox', ['state', 'due_at'], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index('ix_outbox_state_due', table_name='outbox')
    op.drop_index('ix_outbox_citizen_state', table_name='outbox')
    op.drop_table('outbox')
    op.drop_index('ix_inbox_received_at', table_name='inbox')
    op.drop_index('ix_inbox_citizen_received', table_name='inbox')
    op.drop_table('inbox')
    op.drop_index('ix_feedback_entry_id', table_name='feedback')
    op.drop_table('feedback')
    op.drop_index('ix_consultations_opened_at', table_name='consultations')
    op.drop_index('ix_consultations_citizen_open', table_name='consultations')
    op.drop_table('consultations')
    op.drop_table('meta')
    op.drop_table('citizens')
