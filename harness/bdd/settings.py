"""What a run was asked to do, as plain data that crosses process borders."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Selection and conditions of one run. Paths are absolute; ``out`` is the run's own folder."""

    sut: str
    features: tuple[str, ...]
    out: str
    run_id: str
    profiles: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    quick: bool = False
    strict: bool = False
    workers: int = 0
    rerun: tuple[str, ...] = ()
    allure: str = ""
    defects: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RunSettings:
        """Read back what :meth:`to_json` wrote."""
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in known}
        return cls(**values)
