"""`python -m harness.modality` is the modality's command line."""

from harness.modality.cli import app

app()
