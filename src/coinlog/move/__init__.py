"""Moving: a store to another database, an archive to another place, equal to the last bit."""
