"""Test objects about which images and frames a presentation state touches, and about mask subtraction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from harness.actors.objects import Subject, UidSource
from harness.actors.presentation.parts import TestObject, composite, items, picture, state_of
from harness.imaging import phantoms
from harness.imaging.phantoms import Phantom, PixelFormat
from harness.protocols.dicom.uids import CR_IMAGE, XA_IMAGE

_TWELVE = PixelFormat(12)


@dataclass(frozen=True, slots=True)
class FrameObject:
    """A test object of several images or frames; ``build`` gets subject, UID source, study and label."""

    requirement: str
    question: str
    build: Callable[[Subject, UidSource, str, str], tuple[Dataset, Dataset, int, tuple[Dataset, ...]]]

    def make(self, name: str, subject: Subject, uid: UidSource, study: str) -> TestObject:
        """The object with new UIDs."""
        image, state, frame, others = self.build(subject, uid, study, name)
        return TestObject(name, self.requirement, self.question, image, state, frame, others)


def _image(subject: Subject, uid: UidSource, study: str, phantom: Phantom, series: str = "") -> Dataset:
    ds = composite(CR_IMAGE, "CR", subject, study, uid)
    if series:
        ds.SeriesInstanceUID, ds.InstanceNumber = series, 2
    picture(ds, phantom)
    return ds


def _other_image(
    subject: Subject, uid: UidSource, study: str, label: str
) -> tuple[Dataset, Dataset, int, tuple[Dataset, ...]]:
    """The state names the first of two images; the second is looked at."""
    wedge = phantoms.step_wedge(96, 128, steps=16, form=_TWELVE)
    first = _image(subject, uid, study, wedge)
    second = _image(subject, uid, study, wedge, str(first.SeriesInstanceUID))
    for ds in (first, second):
        ds.WindowCenter, ds.WindowWidth = 2048, 4096

    def inverse(state: Dataset) -> None:
        state.PresentationLUTShape = "INVERSE"

    return second, state_of(first, inverse, subject, uid, label), 1, (first,)


def _frames(subject: Subject, uid: UidSource, study: str, pictures: list[Phantom]) -> Dataset:
    """An angiography of these frames."""
    ds = composite(XA_IMAGE, "XA", subject, study, uid)
    picture(ds, pictures[0])
    del ds.PixelSpacing, ds.BodyPartExamined, ds.ViewPosition
    ds.ImageType = ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]
    ds.NumberOfFrames, ds.FrameTime = len(pictures), 100
    ds.add_new("FrameIncrementPointer", "AT", 0x00181063)
    ds.PixelIntensityRelationship, ds.RadiationSetting, ds.KVP = "LIN", "GR", 70
    ds.ExposureTime, ds.XRayTubeCurrent, ds.Exposure = 10, 100, 1
    ds.PositionerMotion, ds.PositionerPrimaryAngle, ds.PositionerSecondaryAngle = "STATIC", 0, 0
    ds.ImagerPixelSpacing = [0.5, 0.5]
    ds.PatientOrientation = ["L", "F"]
    ds.PixelData = b"".join(one.encoded() for one in pictures)
    return ds


def _other_frame(
    subject: Subject, uid: UidSource, study: str, label: str
) -> tuple[Dataset, Dataset, int, tuple[Dataset, ...]]:
    """Each frame has a window of its own; the second frame is looked at."""
    wedge = phantoms.step_wedge(96, 128, steps=16, form=_TWELVE)
    image = _frames(subject, uid, study, [wedge, wedge])

    def windows(state: Dataset) -> None:
        found: list[Dataset] = []
        for frame, (center, width) in enumerate(((512, 1024), (3072, 1024)), start=1):
            meant = items(
                ReferencedSOPClassUID=image.SOPClassUID,
                ReferencedSOPInstanceUID=image.SOPInstanceUID,
                ReferencedFrameNumber=frame,
            )
            found += items(WindowCenter=center, WindowWidth=width, ReferencedImageSequence=meant)
        state.SoftcopyVOILUTSequence = Sequence(found)

    return image, state_of(image, windows, subject, uid, label), 2, ()


def _masked(
    subject: Subject, uid: UidSource, study: str, label: str
) -> tuple[Dataset, Dataset, int, tuple[Dataset, ...]]:
    """Frame 1 is the mask of frame 2: what they share has to vanish."""
    behind = phantoms.orientation_mark(96, 128, form=_TWELVE)
    filled = np.minimum(behind.pixels // 2 + np.where(np.arange(128) % 32 < 16, 1024, 0), 4095)
    base = Phantom(behind.name, (behind.pixels // 2).astype(np.int32), _TWELVE, behind.spacing, ())
    contrast = Phantom(behind.name, filled.astype(np.int32), _TWELVE, behind.spacing, ())
    image = _frames(subject, uid, study, [base, contrast])
    image.RecommendedViewingMode = "SUB"

    def subtract(state: Dataset) -> None:
        state.RecommendedViewingMode = "SUB"
        state.MaskSubtractionSequence = items(MaskOperation="AVG_SUB", MaskFrameNumbers=[1], ContrastFrameAveraging=1)
        state.MaskSubtractionSequence[0].ApplicableFrameRange = [2, 2]
        state.SoftcopyVOILUTSequence = items(WindowCenter=512, WindowWidth=1024)

    return image, state_of(image, subtract, subject, uid, label), 2, ()


FRAME_OBJECTS: Mapping[str, FrameObject] = MappingProxyType(
    {
        "mask subtraction": FrameObject(
            "CPI-DISP-05", "Are there only even stripes, and nothing of the mark that both frames hold?", _masked
        ),
        "image that the state does not name": FrameObject(
            "CPI-DISP-15", "Does the wedge go from black on the left to white on the right?", _other_image
        ),
        "frame with a window of its own": FrameObject(
            "CPI-DISP-15",
            "Is contrast confined to the third quarter of the wedge and later, not to the first?",
            _other_frame,
        ),
    }
)
