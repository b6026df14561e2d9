"""Presentation states: how they are made, read and shown."""
