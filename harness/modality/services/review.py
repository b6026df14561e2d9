"""The Review tab: pictures as they are looked at, measurements, presentation states and key object notes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from harness.imaging import png
from harness.imaging.luts import IDENTITY_RESCALE, Rescale, Shape, Window
from harness.imaging.phantoms import PixelFormat
from harness.imaging.pipeline import image_presentation
from harness.imaging.presentation import DisplayedArea, Orientation, PresentationState, VoiItem
from harness.imaging.render import Image, render
from harness.modality import compression, objects, softcopy, wire
from harness.modality.domain import Code, Exam
from harness.modality.elements import text
from harness.modality.errors import NotFound, Refused
from harness.modality.objects import View
from harness.modality.services.examination import Examination
from harness.modality.services.keeping import Keeping
from harness.modality.services.kernel import Kernel, summary
from harness.modality.services.registration import Registration
from harness.modality.workflow import ACTIVE


class Review:
    """Looking at images, and keeping how they were looked at."""

    def __init__(self, kernel: Kernel, keeping: Keeping, registration: Registration, examination: Examination) -> None:
        self._k, self._keeping = kernel, keeping
        self._registration, self._examination = registration, examination

    # -- looking -----------------------------------------------------------------------------------------------

    def review(
        self,
        instance: str,
        window_center: float = 0.0,
        window_width: float = 0.0,
        zoom: float = 1.0,
        pan_x: float = 0.0,
        pan_y: float = 0.0,
        flip_h: bool = False,
        flip_v: bool = False,
        rotate: int = 0,
        invert: bool = False,
        length: Sequence[float] = (),
        angle: Sequence[float] = (),
        rows: int = 512,
        columns: int = 512,
    ) -> dict[str, Any]:
        """Render an image with window, zoom, pan, flip and rotation, and measure; the picture comes as base64 PNG."""
        dataset, _ = self.load(instance)
        view = self.view(locals(), dataset)
        if not (16 <= rows <= 4096 and 16 <= columns <= 4096):
            raise Refused("a picture has 16 to 4096 rows and columns")
        picture = self.picture(dataset, view, rows, columns)
        made: dict[str, Any] = {
            "instance": instance,
            "window_center": view.center,
            "window_width": view.width,
            "zoom": view.zoom,
            "patient_name": text(dataset, "PatientName"),
            "patient_sex": text(dataset, "PatientSex"),
            "study_date": text(dataset, "StudyDate"),
            "png": base64.b64encode(png.encode(picture)).decode("ascii"),
        }
        if view.length:
            measured = objects.measure_length(dataset, view.length)
            made["length"] = {"value": measured.value, "unit": measured.unit}
        if view.angle:
            made["angle"] = {"value": objects.measure_angle(dataset, view.angle).value, "unit": "deg"}
        return made

    def preview(self, exam: int = 0, number: int = 0, rows: int = 512, columns: int = 512) -> dict[str, Any]:
        """Render an exposure of an exam, the latest one by default, also before it is confirmed."""
        found = self._k.exam(exam)
        shots = [shot for shot in found.shots if shot.is_image and (not number or shot.number == number)]
        if not shots:
            raise NotFound(f"exam {found.key} has no exposure {number or ''}".rstrip())
        if not (16 <= rows <= 4096 and 16 <= columns <= 4096):
            raise Refused("a picture has 16 to 4096 rows and columns")
        dataset, syntax = wire.read_file(self._k.home / shots[-1].file)
        dataset = compression.decompress(dataset, syntax)
        picture = self.picture(dataset, self.view({}, dataset), rows, columns)
        return {
            "exam": found.key,
            "number": shots[-1].number,
            "state": shots[-1].state.value,
            "png": base64.b64encode(png.encode(picture)).decode("ascii"),
        }

    def view(self, values: dict[str, Any], dataset: Dataset) -> View:
        """Judge the values of a view and fill in the window of the image; raises Refused."""
        try:
            view = objects.view_from(values)
        except ValueError:
            raise Refused("points are pairs of numbers: column, row") from None
        if view.rotation not in {0, 90, 180, 270}:
            raise Refused(f"rotation by {view.rotation} degrees is not possible; 0, 90, 180 or 270")
        if not 0.01 <= view.zoom <= 100:
            raise Refused("zoom is 0.01 to 100")
        if (view.length and len(view.length) != 2) or (view.angle and len(view.angle) != 3):
            raise Refused("a length has two points, an angle three")
        if view.width <= 0:
            view = replace(view, center=_first(dataset, "WindowCenter"), width=_first(dataset, "WindowWidth"))
        return view

    def picture(self, dataset: Dataset, view: View, rows: int, columns: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Render on a viewport of (rows, columns), 8 bits of P-Values."""
        return on_screen(*self.prepared(dataset, view), rows, columns)

    def prepared(self, dataset: Dataset, view: View) -> tuple[Image, PresentationState]:
        """Turn an image object and a view into what the renderer takes."""
        form = PixelFormat(
            int(dataset.BitsStored),
            bool(dataset.PixelRepresentation),
            dataset.PhotometricInterpretation == "MONOCHROME1",
        )
        uid = str(dataset.SOPInstanceUID)
        row, column, unit = objects.pixel_spacing(dataset)
        image = Image(_pixels(dataset), form, uid, spacing=None if unit == "pixel" else (row, column))
        rescale = IDENTITY_RESCALE
        if dataset.get("RescaleSlope") is not None:
            rescale = Rescale(float(dataset.RescaleSlope), float(dataset.RescaleIntercept))
        window = Window(view.center, view.width) if view.width >= 1 else None
        shape = Shape.INVERSE if text(dataset, "PresentationLUTShape") == "INVERSE" else None
        grey = image_presentation(rescale, window, shape, monochrome1=form.monochrome1)
        presentation = grey.presentation
        if view.invert:
            presentation = Shape.IDENTITY if presentation is Shape.INVERSE else Shape.INVERSE
        top_left, bottom_right = objects.displayed_area(int(dataset.Rows), int(dataset.Columns), view)
        state = PresentationState(
            modality=rescale,
            voi=(VoiItem(window),) if window else (),
            presentation=presentation,
            orientation=Orientation(*view.orientation),
            areas=(DisplayedArea(top_left, bottom_right, spacing=None if unit == "pixel" else (row, column)),),
        )
        return image, state

    def kept_look(self, instance: str, states: Sequence[str]) -> tuple[Image, PresentationState]:
        """Return an image with the presentation state among these that is for it, or as it opens without one.

        Raises NotFound, and Refused for a state that cannot be shown faithfully.
        """
        dataset, _ = self.load(instance)
        image, own = self.prepared(dataset, self.view({}, dataset))
        for each in dict.fromkeys(states):
            state, _ = self.load(each)
            if instance in softcopy.images_of(state):
                return image, softcopy.state_for(state, dataset)
        return image, own

    def load(self, instance: str) -> tuple[Dataset, dict[str, Any]]:
        """Return an object that we hold, uncompressed, with its row; raises NotFound."""
        row = self._k.database.row(
            "SELECT i.*, t.study_instance_uid, d.exam_key, d.transfer_syntax FROM Instance i JOIN Study t USING "
            "(study_key) "
            "JOIN Delivery d USING (sop_instance_uid) WHERE i.sop_instance_uid = ? AND i.deleted_dttm IS NULL",
            instance,
        )
        if row is None:
            raise NotFound(f"there is no object {instance}")
        dataset, syntax = wire.read_file(self._k.home / row["path_name"] / row["file_name"])
        return compression.decompress(dataset, syntax), row

    # -- keeping -----------------------------------------------------------------------------------------------

    def save_gsps(
        self,
        instances: Sequence[str],
        label: str = "REVIEW",
        description: str = "",
        window_center: float = 0.0,
        window_width: float = 0.0,
        zoom: float = 1.0,
        pan_x: float = 0.0,
        pan_y: float = 0.0,
        flip_h: bool = False,
        flip_v: bool = False,
        rotate: int = 0,
        invert: bool = False,
        length: Sequence[float] = (),
        angle: Sequence[float] = (),
    ) -> dict[str, Any]:
        """Save how images are looked at as a presentation state; after the end of an exam this is a step of its own."""
        given = dict(locals())
        images, exam = self._images(instances)
        view = self.view(given, images[0])
        if not label.isascii() or not label or len(label) > 16 or label != label.upper():
            raise Refused("a label has 1 to 16 capital letters, digits, spaces or underscores")

        def build(common: Dataset, _: Exam) -> Dataset:
            return objects.presentation_state(common, images, view, label, description)

        return self._add(exam, "PR", objects.GSPS, "Presentation states", build)

    def key_note(
        self, instances: Sequence[str], title: str = "113000", description: str = "", reason: str = ""
    ) -> dict[str, Any]:
        """Mark images as key objects under a coded title, with words and a reason if wanted."""
        if title not in objects.TITLES:
            raise Refused(f"no title {title!r}; there are {', '.join(objects.TITLES)}")
        images, exam = self._images(instances)
        modifier = None
        if reason:
            # CID 7011, Rejected for Quality Reasons.
            if title not in {"113001", "113010"} or reason not in QUALITY_REASONS:
                raise Refused(f"titles 113001 and 113010 take a reason of {', '.join(QUALITY_REASONS)}")
            modifier = QUALITY_REASONS[reason]
        return self.add_note(exam, images, objects.TITLES[title], description, modifier)

    def add_note(
        self, exam: Exam, images: Sequence[Dataset], title: Code, words: str, modifier: Code | None
    ) -> dict[str, Any]:
        """Add a key object note to an exam."""

        def build(common: Dataset, target: Exam) -> Dataset:
            requests = objects.referenced_requests(target.steps, target.study_instance_uid)
            return objects.key_object_note(common, images, title, words, modifier, requests)

        return self._add(exam, "KO", objects.KEY_OBJECTS, "Key objects", build)

    def _images(self, instances: Sequence[str]) -> tuple[list[Dataset], Exam]:
        if not instances:
            raise Refused("name at least one image")
        loaded = [self.load(each) for each in dict.fromkeys(instances)]
        if len({row["study_instance_uid"] for _, row in loaded}) > 1:
            raise Refused("the images belong to different studies; make one object for each")
        key = loaded[0][1]["exam_key"]
        if key is None:
            raise Refused("these images were not made here; only own images can be annotated")
        return [dataset for dataset, _ in loaded], self._k.exam(key)

    def _add(
        self, exam: Exam, modality: str, sop_class: str, series: str, build: Callable[[Dataset, Exam], Dataset]
    ) -> dict[str, Any]:
        # A finished performed step takes no further objects (PS3.4 F.7.2.2.2): additional work is a step of its own.
        own_step = exam.state not in ACTIVE
        if own_step:
            exam = self._k.exam(self._registration.append(exam.key)["exam"])
            self._examination.start(exam.key)
            exam = self._k.exam(exam.key)
        exam = self._keeping.attach(exam, modality, sop_class, series, build)
        uid = exam.shots[-1].sop_instance_uid
        done = self._examination.end(exam.key) if own_step else summary(self._k.exam(exam.key))
        return {**done, "sop_instance_uid": uid}


QUALITY_REASONS: dict[str, Code] = {
    value: Code(value, "DCM", meaning)
    for value, meaning in (
        ("111207", "Image artifact(s)"),
        ("111208", "Grid artifact(s)"),
        ("111209", "Positioning"),
        ("111210", "Motion blur"),
        ("111211", "Under exposed"),
        ("111212", "Over exposed"),
        ("111213", "No image"),
        ("111214", "Detector artifact(s)"),
        ("111215", "Artifact(s) other than grid or detector artifact"),
        ("111216", "Mechanical failure"),
        ("111217", "Electrical failure"),
        ("111218", "Software failure"),
    )
}


def on_screen(image: Image, state: PresentationState, rows: int, columns: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Render on a viewport of (rows, columns), 8 bits of P-Values."""
    shown = render(image, state).on_screen((rows, columns))
    return np.rint(np.clip(shown, 0.0, 1.0) * 255).astype(np.uint8)


def _first(dataset: Dataset, keyword: str) -> float:
    value = dataset.get(keyword)
    if value is None or value == "":
        return 0.0
    return float(value[0]) if isinstance(value, (list, tuple)) or hasattr(value, "append") else float(value)


def _pixels(dataset: Dataset) -> np.ndarray[Any, np.dtype[Any]]:
    kind = ("i" if dataset.PixelRepresentation else "u") + str(int(dataset.BitsAllocated) // 8)
    count = int(dataset.Rows) * int(dataset.Columns)
    if int(dataset.get("SamplesPerPixel") or 1) != 1:
        raise Refused("only grey images can be looked at here")
    values = np.frombuffer(dataset.PixelData, f"<{kind}", count)
    return values.reshape(int(dataset.Rows), int(dataset.Columns)).astype(np.int32)
