"""Portable media: creators and importers."""
