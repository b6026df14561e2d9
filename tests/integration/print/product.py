"""A print composer as a product: prints what its archive keeps. ``product.py PARAMETERS.json STORAGE [DEFECT...]``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from pydicom import dcmread

from harness.actors import defects
from harness.actors.print_composer import FilmOrder, LutChoice, PrintComposer
from harness.actors.print_composer_pictures import picture_of
from harness.core.transcript import Transcript
from harness.protocols.dicom.node import Address


def main(parameters: str, storage: str, *ids: str) -> int:
    """Exit 0 if the film was printed, 1 if the printer refused it."""
    asked = json.loads(Path(parameters).read_text(encoding="utf-8"))
    stored = {str(ds.SOPInstanceUID): ds for ds in map(dcmread, Path(storage).rglob("*.dcm"))}
    wanted = [stored[uid] for uid in asked["images"]]
    image = next(ds for ds in wanted if ds.Modality != "PR")
    state = next((ds for ds in wanted if ds.Modality == "PR"), None)
    found = re.fullmatch(r"(\S+) at (\S+):(\d+)", asked["peer"])
    if found is None:
        return 2
    printer = Address(found[1], found[2], int(found[3]))
    behaviour = defects.behaviour("print-composer", ids)
    with PrintComposer("PRODUCT", Transcript(), behaviour=behaviour) as composer:
        outcome = composer.print_films(printer, (FilmOrder((picture_of(image, state),), lut=LutChoice("IDENTITY")),))
    return 0 if outcome.printed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
