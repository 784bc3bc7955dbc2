"""The store, one schema on three databases: ``writer`` changes it, ``reader`` reads it."""
