"""The meaning of every finding code; codes are permanent."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from harness.core.errors import UsageError

_VALUE_REPRESENTATION = re.compile(r"VR-([A-Z]{2})-(LENGTH|VALUE)")


@lru_cache(maxsize=1)
def codes() -> Mapping[str, str]:
    """Code -> meaning; ``VR-{vr}-LENGTH`` and ``VR-{vr}-VALUE`` stand for one code of each VR."""
    from harness.validation.media import RULES as MEDIA_RULES  # it loads libraries that most runs never need

    data = tomllib.loads(files("harness.validation").joinpath("data/codes.toml").read_text("utf-8"))
    media = {rule.code: rule.meaning for rule in MEDIA_RULES} | {
        "MEDIA-UNREADABLE": "The medium cannot be opened.",
        "MEDIA-COPIED": "The folder seems to be a copy whose names became small letters.",
        "MEDIA-OBJECT-LARGE": "An object is too large to be judged in memory; its place on the medium was judged.",
    }
    return dict(data["codes"]) | media


def explain(code: str) -> str:
    """What a code means; UsageError names similar codes if there is none."""
    known = codes()
    if code in known:
        return known[code]
    if found := _VALUE_REPRESENTATION.fullmatch(code):
        return known[f"VR-{{vr}}-{found[2]}"]
    family = code.split("-")[0]
    similar = ", ".join(sorted(name for name in known if name.startswith(f"{family}-"))[:8]) or ", ".join(
        sorted({name.split("-")[0] + "-…" for name in known})
    )
    raise UsageError(f"no finding has the code {code!r}; there are {similar}")
