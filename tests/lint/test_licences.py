"""The default install holds no GPL code, as the README says: every dependency is asked, and theirs."""

from __future__ import annotations

import re
from importlib import metadata

from packaging.requirements import Requirement

#: LGPL and AGPL included; what offers another licence besides would have to be looked at
_COPYLEFT = re.compile(r"\b[AL]?GPL|GNU (Affero |Lesser |Library )?General Public", re.IGNORECASE)


def _default_install() -> dict[str, str]:
    """What is said of licences, by name of the distribution."""
    found: dict[str, str] = {}
    waiting = ["ihe-harness"]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        package = metadata.distribution(name)
        fields = [*(package.metadata.get_all("License-Expression") or ()), *(package.metadata.get_all("License") or ())]
        classifiers = [c for c in package.metadata.get_all("Classifier") or () if c.startswith("License")]
        found[name] = "; ".join([*(field.strip().split("\n")[0] for field in fields), *classifiers])
        wanted = (Requirement(text) for text in package.requires or ())
        waiting += [one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def test_no_dependency_of_the_default_install_is_copyleft() -> None:
    found = _default_install()
    assert len(found) > 20, "the dependencies of the dependencies are asked, too"
    assert [name for name, said in found.items() if _COPYLEFT.search(said)] == []
    assert [name for name, said in found.items() if not said] == [], "a package that does not say has to be looked at"
