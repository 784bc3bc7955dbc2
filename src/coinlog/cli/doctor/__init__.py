"""``coinlog doctor``: every way in which an installation can be ill, in plain words."""
