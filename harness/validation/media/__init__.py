"""Whether a medium is well formed: its layout, DICOMDIR, objects and web content, by rules with permanent codes."""

from __future__ import annotations

from harness.validation.media.judge import RULES, rule, validate_medium, validate_view
from harness.validation.media.rules import Outcome, Problem, Rule
from harness.validation.media.view import View

__all__ = ["RULES", "Outcome", "Problem", "Rule", "View", "rule", "validate_medium", "validate_view"]
