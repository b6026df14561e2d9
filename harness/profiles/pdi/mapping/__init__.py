"""Which rules about media judge which requirement."""
