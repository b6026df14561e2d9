"""Conformance statements: what a product declares, held against what was seen, in one model and many renderings."""
