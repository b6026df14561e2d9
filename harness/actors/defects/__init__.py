"""Seeded defects of simulated actors, by actor: each replaces one decision of a behaviour."""
