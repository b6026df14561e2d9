"""Renderings of a run, and the folder of evidence that they rest on. ``run.json`` is the truth."""
