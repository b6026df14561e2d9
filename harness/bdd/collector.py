"""Collect ``*.feature`` files as test modules, without one binder module per file."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd import scenarios


class FeatureModule(pytest.Module):
    """A module that consists of the scenarios of one feature file.

    ``_getobj`` is pytest's own seam for "where does the module object come from"; a plugin test holds it in place.
    """

    def _getobj(self) -> Any:
        module = types.ModuleType(f"feature_{self.path.stem.replace('-', '_')}")
        module.__file__ = str(self.path)
        namespace = module.__dict__
        namespace["scenarios"] = scenarios
        namespace["path"] = str(self.path)
        # scenarios() binds into the namespace of its caller: it has to be called from inside the module
        exec(compile("scenarios(path)", str(self.path), "exec"), namespace)
        return module


def collect(path: Path, parent: pytest.Collector) -> FeatureModule | None:
    """The module of a feature file, None for any other file."""
    if path.suffix != ".feature":
        return None
    module: FeatureModule = FeatureModule.from_parent(parent, path=path)
    return module
