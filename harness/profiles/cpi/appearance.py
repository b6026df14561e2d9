"""What an image must look like, with a presentation state or as it is (PS3.4 N.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from pydicom.dataset import Dataset

from harness.imaging.luts import Unit
from harness.imaging.presentation import Orientation, PresentationState, VoiItem
from harness.imaging.render import Image, Rendition, render
from harness.profiles.cpi import reading


def of(image: Dataset, state: Dataset | None = None, frame: int = 1) -> Rendition:
    """P-Values of a frame; a state that does not name that frame of that image leaves it alone.

    Raises Unreadable, WireError or IndexError for objects that cannot be rendered.
    """
    source, look = _look(image, state, frame)
    return render(source, look, frame=frame)


def undrawn(image: Dataset, state: Dataset, frame: int = 1) -> tuple[PresentationState, Rendition]:
    """What the state asks for, and the picture without annotations and overlays. Raises as :func:`of` does."""
    source, look = _look(image, state, frame)
    bare = replace(look, annotations=(), activated=MappingProxyType({}))
    return look, render(source, bare, frame=frame)


def mistakes(image: Dataset, state: Dataset | None, frame: int = 1) -> Iterator[tuple[str, Unit]]:
    """Wrong pictures that displays and composers are known to show, in words. Raises as :func:`of` does."""
    source, look = _look(image, state, frame)
    right = render(source, look, frame=frame).p_values
    yield from ((name, values) for name, values in _wrong(source, look, frame, right) if not _same(values, right))
    if state is not None:
        source, own = _look(image, None, frame)
        own_way = render(source, own, frame=frame).p_values
        if not _same(own_way, right):
            yield "the picture without the presentation state", own_way


def _wrong(source: Image, look: PresentationState, frame: int, right: Unit) -> Iterator[tuple[str, Unit]]:
    yield "the picture with black and white exchanged", 1.0 - right
    if look.areas:
        yield "the whole image, not its displayed area", render(source, replace(look, areas=()), frame=frame).p_values
    for flip in (False, True):
        for rotation in (0, 90, 180, 270):
            turned = replace(look, orientation=Orientation(rotation, flip))
            name = f"the picture turned by {rotation} degrees, {'flipped' if flip else 'not flipped'}"
            yield name, render(source, turned, frame=frame).p_values


def _same(one: Unit, other: Unit) -> bool:
    return one.shape == other.shape and bool(np.allclose(one, other))


def _look(image: Dataset, state: Dataset | None, frame: int) -> tuple[Image, PresentationState]:
    source = reading.image(image)
    if state is not None:
        look = reading.presentation_state(state, image=image)
        if look.covers(source.sop_instance_uid, frame):
            return source, look
    own = reading.image_grayscale(image)
    plain = PresentationState(
        modality=own.modality, voi=(VoiItem(own.voi),) if own.voi else (), presentation=own.presentation
    )
    return source, plain
