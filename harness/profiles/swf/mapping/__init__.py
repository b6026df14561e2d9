"""Attribute tables of SWF as data: what must be there, what is copied from where, what may not change."""
