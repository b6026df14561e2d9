"""Attribute tables of SWF as data."""
