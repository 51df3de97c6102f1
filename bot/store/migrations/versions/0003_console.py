"""The staff console: remarks, views, exports, tasks, rectifications, the county's own entries, lessons, digests.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the staff's tables; work out for what is on record what the new columns hold."""
    op.create_table('digests',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('department', sa.String(length=64), nullable=False),
    sa.Column('token', sa.String(length=64), nullable=False, comment='SHA-256 of what the private link carries'),
    sa.Column('from_at', sa.BigInteger(), nullable=False),
    sa.Column('until_at', sa.BigInteger(), nullable=False),
    sa.Column('questions', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False, comment='XLSX'),
    sa.Column('state', sa.String(length=16), nullable=False, comment='waiting, sent, failed, kept'),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(length=200), nullable=False),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_digests')),
    sa.UniqueConstraint('department', 'from_at', name=op.f('uq_digests_department_from_at')),
    sa.UniqueConstraint('token', name=op.f('uq_digests_token'))
    )
    op.create_table('tasks',
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('place', sa.String(length=64), nullable=False, comment='a township or centre; empty: the whole county'),
    sa.Column('target', sa.Integer(), nullable=False, comment='services to be done in the year'),
    sa.PrimaryKeyConstraint('year', 'place', name=op.f('pk_tasks'))
    )
    op.create_table('announcements',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('text', sa.String(length=500), nullable=False),
    sa.Column('from_at', sa.BigInteger(), nullable=False),
    sa.Column('until_at', sa.BigInteger(), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('withdrawn_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_announcements_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_announcements'))
    )
    op.create_table('confirmations',
    sa.Column('entry_id', sa.String(length=64), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False, comment='the text that was read; another text needs a new reading'),
    sa.Column('verdict', sa.String(length=16), nullable=False, comment='confirmed, retired'),
    sa.Column('staff_id', sa.String(length=36), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_confirmations_staff_id_staff')),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_confirmations'))
    )
    op.create_table('consultation_words',
    sa.Column('consultation_id', sa.String(length=36), nullable=False),
    sa.Column('words', sa.Text(), nullable=False, comment='what the citizen said in it, one message a line; for searching'),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_consultation_words_consultation_id_consultations')),
    sa.PrimaryKeyConstraint('consultation_id', name=op.f('pk_consultation_words'))
    )
    op.create_table('entry_versions',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('entry_id', sa.String(length=64), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False, comment="1, 2, 3 … of the county's own versions of an entry"),
    sa.Column('state', sa.String(length=16), nullable=False, comment='draft, review, published, replaced, dropped'),
    sa.Column('body', sa.Text(), nullable=False, comment='the whole entry, JSON; empty: the entry is retired'),
    sa.Column('based_on', sa.String(length=16), nullable=False, comment='version of the text that was edited: two editors at once'),
    sa.Column('note', sa.Text(), nullable=False, comment='why'),
    sa.Column('author_id', sa.String(length=36), nullable=False),
    sa.Column('reviewer_id', sa.String(length=36), nullable=True, comment='the second pair of eyes'),
    sa.Column('publish_at', sa.BigInteger(), nullable=False, comment='serves from then on; 0: at once when approved'),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.Column('published_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['author_id'], ['staff.id'], name=op.f('fk_entry_versions_author_id_staff')),
    sa.ForeignKeyConstraint(['reviewer_id'], ['staff.id'], name=op.f('fk_entry_versions_reviewer_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_entry_versions')),
    sa.UniqueConstraint('entry_id', 'number', name=op.f('uq_entry_versions_entry_id_number'))
    )
    with op.batch_alter_table('entry_versions', schema=None) as batch_op:
        batch_op.create_index('ix_entry_versions_state', ['state'], unique=False)

    op.create_table('exports',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=False),
    sa.Column('query', sa.Text(), nullable=False, comment="the filter, as in the page's address"),
    sa.Column('format', sa.String(length=8), nullable=False, comment='xlsx, csv'),
    sa.Column('masked', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False, comment='waiting, running, ready, failed'),
    sa.Column('done', sa.Integer(), nullable=False, comment='rows written so far'),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(length=200), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True, comment='the file; removed a day after it was made'),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('touched_at', sa.BigInteger(), nullable=False, comment='last sign of life of whoever writes it'),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_exports_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exports'))
    )
    op.create_table('lessons',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('day', sa.String(length=10), nullable=False, comment='YYYY-MM-DD in the county'),
    sa.Column('kind', sa.String(length=16), nullable=False, comment='entry, quiz'),
    sa.Column('entry_id', sa.String(length=64), nullable=False),
    sa.Column('question', sa.Text(), nullable=False, comment='of a quiz: the case, told by an example'),
    sa.Column('options', sa.Text(), nullable=False, comment='JSON list'),
    sa.Column('answer', sa.Integer(), nullable=False, comment='number of the right option, from 1'),
    sa.Column('explanation', sa.Text(), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_lessons_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lessons')),
    sa.UniqueConstraint('day', 'kind', name=op.f('uq_lessons_day_kind'))
    )
    op.create_table('remarks',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('consultation_id', sa.String(length=36), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_remarks_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_remarks_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_remarks'))
    )
    with op.batch_alter_table('remarks', schema=None) as batch_op:
        batch_op.create_index('ix_remarks_consultation', ['consultation_id'], unique=False)

    op.create_table('run_settings',
    sa.Column('name', sa.String(length=64), nullable=False, comment='a setting that may change while the service runs'),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_run_settings_staff_id_staff')),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_run_settings'))
    )
    op.create_table('views',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=False, comment='whose it is'),
    sa.Column('shared', sa.Boolean(), nullable=False, comment='shown to all colleagues'),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('query', sa.Text(), nullable=False, comment="the filter, as in the page's address"),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_views_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_views'))
    )
    op.create_table('wordings',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('text', sa.String(length=200), nullable=False, comment='a question as it was really asked'),
    sa.Column('entry_id', sa.String(length=64), nullable=False, comment='what it is to find; empty: not ours'),
    sa.Column('staff_id', sa.String(length=36), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_wordings_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wordings')),
    sa.UniqueConstraint('text', name=op.f('uq_wordings_text'))
    )
    with op.batch_alter_table('wordings', schema=None) as batch_op:
        batch_op.create_index('ix_wordings_entry', ['entry_id'], unique=False)

    op.create_table('lesson_answers',
    sa.Column('lesson_id', sa.String(length=36), nullable=False),
    sa.Column('citizen_id', sa.String(length=36), nullable=False),
    sa.Column('choice', sa.Integer(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_lesson_answers_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['lesson_id'], ['lessons.id'], name=op.f('fk_lesson_answers_lesson_id_lessons')),
    sa.PrimaryKeyConstraint('lesson_id', 'citizen_id', name=op.f('pk_lesson_answers'))
    )
    op.create_table('rectifications',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('rating_id', sa.String(length=36), nullable=False),
    sa.Column('consultation_id', sa.String(length=36), nullable=True),
    sa.Column('citizen_id', sa.String(length=36), nullable=False),
    sa.Column('staff_id', sa.String(length=36), nullable=True, comment='who is responsible; none: not given to anybody yet'),
    sa.Column('state', sa.String(length=16), nullable=False, comment='open, replied, visited, closed'),
    sa.Column('due_on', sa.String(length=10), nullable=False, comment='YYYY-MM-DD in the county, by working days'),
    sa.Column('measures', sa.Text(), nullable=False, comment='what was found and done'),
    sa.Column('reply', sa.Text(), nullable=False, comment='what the citizen was told'),
    sa.Column('visit', sa.Text(), nullable=False, comment='what the citizen said at the second visit'),
    sa.Column('visit_grade', sa.Integer(), nullable=False, comment='grade at the second visit, 0: none'),
    sa.Column('proof', sa.Text(), nullable=False, comment='what shows that it is done'),
    sa.Column('version', sa.Integer(), nullable=False, comment='grows with every change'),
    sa.Column('rounds', sa.Integer(), nullable=False, comment='how often the second visit reopened it'),
    sa.Column('opened_at', sa.BigInteger(), nullable=False),
    sa.Column('visit_asked_at', sa.BigInteger(), nullable=True, comment='when the citizen was asked whether it is good now'),
    sa.Column('replied_at', sa.BigInteger(), nullable=True),
    sa.Column('visited_at', sa.BigInteger(), nullable=True),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_rectifications_citizen_id_citizens')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_rectifications_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['rating_id'], ['ratings.id'], name=op.f('fk_rectifications_rating_id_ratings')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_rectifications_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rectifications')),
    sa.UniqueConstraint('rating_id', name=op.f('uq_rectifications_rating_id'))
    )
    with op.batch_alter_table('rectifications', schema=None) as batch_op:
        batch_op.create_index('ix_rectifications_state_due', ['state', 'due_on'], unique=False)

    op.create_table('data_links',
    sa.Column('token', sa.String(length=64), nullable=False, comment='SHA-256 of what the private link carries'),
    sa.Column('citizen_id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True, comment='it opens once'),
    sa.ForeignKeyConstraint(['citizen_id'], ['citizens.id'], name=op.f('fk_data_links_citizen_id_citizens')),
    sa.PrimaryKeyConstraint('token', name=op.f('pk_data_links'))
    )
    with op.batch_alter_table('data_links', schema=None) as batch_op:
        batch_op.create_index('ix_data_links_citizen', ['citizen_id'], unique=False)

    op.add_column('citizens', sa.Column('erased_at', sa.BigInteger(), nullable=True, comment="when everything said was deleted at the citizen's own wish"))
    op.add_column('consultations', sa.Column('first_outcome', sa.String(length=16), nullable=False, server_default='', comment='what the very first message came to'))
    op.add_column('consultations', sa.Column('handed', sa.Boolean(), nullable=False, server_default=sa.false(), comment='a person was asked for'))
    op.add_column('consultations', sa.Column('grade', sa.Integer(), nullable=False, server_default='0', comment="the citizen's rating, 5 to 1; 0: none"))
    op.add_column('staff', sa.Column('lent_at', sa.BigInteger(), comment='when somebody else set the password; none: it is their own'))
    op.add_column('staff', sa.Column('centre', sa.String(length=64), nullable=False, server_default='', comment="the service centre they work at; empty: the county's"))
    op.execute(
        'UPDATE consultations SET first_outcome = outcome, '
        'handed = EXISTS (SELECT 1 FROM handoffs WHERE handoffs.consultation_id = consultations.id), '
        'grade = COALESCE((SELECT max(grade) FROM ratings WHERE ratings.consultation_id = consultations.id), 0)'
    )
    joined = 'string_agg(text, chr(10) ORDER BY id)' if op.get_bind().dialect.name == 'postgresql' else 'group_concat(text, char(10))'
    op.execute(
        f'INSERT INTO consultation_words (consultation_id, words) SELECT consultation_id, substr({joined}, 1, 2000) '  # noqa: S608 - our own words
        'FROM (SELECT id, consultation_id, text FROM inbox WHERE consultation_id IS NOT NULL ORDER BY id) AS said GROUP BY consultation_id'
    )
    op.drop_index('ix_consultations_opened_at', table_name='consultations')
    sorts, places = ['channel', 'kind', 'handed', 'urgent', 'outcome', 'verdict', 'grade', 'service', 'handled_by'], ['township', 'category']
    op.create_index('ix_consultations_newest', 'consultations', ['opened_at', 'id', *sorts, *places, 'entry_id'])
    op.create_index('ix_consultations_sorts', 'consultations', [*sorts, *places, 'entry_id', 'first_outcome', 'opened_at'])
    op.create_index('ix_consultations_places', 'consultations', [*places, *sorts, 'entry_id', 'opened_at'])
    op.create_index('ix_handoffs_consultation', 'handoffs', ['consultation_id'])
