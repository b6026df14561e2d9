"""Is this object or message well formed by its standard: pure functions on the bytes as received. Rules are data."""
