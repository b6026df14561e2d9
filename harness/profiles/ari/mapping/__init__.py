"""What documents and their queries must hold, as data."""
