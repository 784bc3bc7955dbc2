"""Taking the record elsewhere: as CSV, JSON lines or Parquet, with whose data it is."""
