"""Verifying by and by: which slots a comparison was about, so that the next one goes on from there.

Written out, like every migration; each step may be repeated, because MySQL and MariaDB commit
at every statement that changes a table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE, COLUMNS = "verification", ("from_slot", "to_slot")


def there() -> set[str]:
    """Return the columns that the table has."""
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(TABLE)}


def upgrade() -> None:
    """Add the columns; NULL where all was compared, or slots chosen by chance."""
    for name in COLUMNS:
        if name not in there():
            op.add_column(TABLE, sa.Column(name, sa.BigInteger()))


def downgrade() -> None:
    """Remove them again."""
    for name in COLUMNS:
        if name in there():
            op.drop_column(TABLE, name)
