"""Web content of a medium: INDEX.HTM, a page per study with patient and series, a JPEG per image (XHTML Basic)."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from harness.core.errors import EnvironmentFailure

_PAGE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN" "http://www.w3.org/TR/xhtml-basic/xhtml-basic11.dtd">\n'
    '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en">\n<head><title>{title}</title></head>\n'
    "<body>\n{body}\n</body>\n</html>\n"
)
DISCLAIMER: Final = "Disclaimer: these pages are for information only and are not intended for diagnosis."
_LARGEST: Final = 512


@dataclass(slots=True)
class Picture:
    """One image as a browser shows it."""

    name: str
    title: str


@dataclass(slots=True)
class SeriesPart:
    """A series of the site."""

    title: str
    pictures: list[Picture] = field(default_factory=list)
    others: int = 0


@dataclass(slots=True)
class StudyPart:
    """A study of the site with the patient it belongs to."""

    uid: str
    patient: str
    patient_id: str
    title: str
    series: dict[str, SeriesPart] = field(default_factory=dict)


class Site:
    """Collects studies while a medium is made; :meth:`files` are the pages by path."""

    def __init__(self, institution: str, date: str) -> None:
        self._institution, self._date = institution, date
        self._studies: dict[str, StudyPart] = {}
        self._pictures = 0

    def add(self, dataset: Dataset, *, has_picture: bool) -> str:
        """One object; the path that its JPEG must get, "" if it has none."""
        uid = str(dataset.StudyInstanceUID)
        study = self._studies.get(uid)
        if study is None:
            title = f"{_date(str(dataset.get('StudyDate', '')))} {dataset.get('StudyDescription', '')}".strip()
            name = _shown_name(dataset)
            study = self._studies[uid] = StudyPart(uid, name, str(dataset.get("PatientID", "")), title)
        series = study.series.setdefault(
            str(dataset.SeriesInstanceUID),
            SeriesPart(f"{dataset.get('Modality', '')} {dataset.get('SeriesDescription', '')}".strip()),
        )
        if not has_picture:
            series.others += 1
            return ""
        self._pictures += 1
        name = f"I{self._pictures:07d}.JPG"
        series.pictures.append(Picture(name, f"Image {dataset.get('InstanceNumber', '')}".strip()))
        return f"IHE_PDI/{name}"

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every page of the site by its path on the medium."""
        studies = list(self._studies.values())
        for number, study in enumerate(studies, 1):
            yield f"IHE_PDI/S{number:07d}.HTM", self._study(study)
        yield "IHE_PDI/START.HTM", self._start(studies)
        yield "INDEX.HTM", self._index(studies)

    def _study(self, study: StudyPart) -> bytes:
        parts = [
            f"<h1>{escape(study.patient)}</h1>",
            f"<p>Patient ID {escape(study.patient_id)} · {escape(study.title)}</p>",
            f"<p>Study {escape(study.uid)}</p>",
        ]
        for series in study.series.values():
            parts.append(f"<h2>{escape(series.title)}</h2>")
            for picture in series.pictures:
                text = escape(picture.title)
                parts.append(f'<p><a href="{picture.name}"><img src="{picture.name}" alt="{text}" /></a> {text}</p>')
            if series.others:
                parts.append(f"<p>{series.others} object(s) without a picture; a DICOM reader shows them.</p>")
        parts.append('<p><a href="START.HTM">All studies</a></p>')
        return _page(study.patient, parts)

    def _start(self, studies: Sequence[StudyPart]) -> bytes:
        parts = ["<h1>Patients and studies</h1>"]
        for number, study in enumerate(studies, 1):
            title = escape(f"{study.patient} ({study.patient_id}): {study.title}")
            parts.append(f'<p><a href="S{number:07d}.HTM">{title}</a></p>')
        parts.append('<p><a href="../INDEX.HTM">Contents of this medium</a></p>')
        return _page("Patients and studies", parts)

    def _index(self, studies: Sequence[StudyPart]) -> bytes:
        total = sum(len(s.pictures) + s.others for study in studies for s in study.series.values())
        parts = [
            "<h1>Portable Data for Imaging</h1>",
            f"<p>Institution: {escape(self._institution)}. Made on {escape(self._date)}.</p>",
            f"<p>{DISCLAIMER}</p>",
            '<p><a href="IHE_PDI/START.HTM">Show the images</a></p>',
            '<p><a href="README.TXT">About this medium</a></p>',
            f"<h2>DICOM content that can be imported: {total} object(s)</h2>",
        ]
        parts += [f"<p>{escape(f'{s.patient} ({s.patient_id}): {s.title}')}</p>" for s in studies]
        return _page("Portable Data for Imaging", parts)


def _page(title: str, parts: Sequence[str]) -> bytes:
    return _PAGE.format(title=escape(title), body="\n".join(parts)).encode("utf-8", "replace")


def _date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 else text


def _shown_name(dataset: Dataset) -> str:
    name = str(dataset.get("PatientName", "")) or "(no name)"
    return " / ".join(part.replace("^", " ").strip() for part in name.split("=") if part.strip("^ "))


def jpeg(dataset: Dataset) -> bytes | None:
    """The first frame as a grey or colour JPEG, None if it cannot be shown. Needs the extra ``media`` (Pillow)."""
    try:
        from PIL import Image
    except ImportError:
        raise EnvironmentFailure("web content needs Pillow; install ihe-harness[media]") from None
    if "PixelData" not in dataset:
        return None
    try:
        with warnings.catch_warnings():  # what is odd about an object is for validation to say
            warnings.simplefilter("ignore")
            pixels = dataset.pixel_array
    except (ValueError, RuntimeError, AttributeError, NotImplementedError, KeyError):
        return None  # no decoder for it: the site says that there is no picture
    if int(dataset.get("NumberOfFrames", 1) or 1) > 1:
        pixels = pixels[0]
    picture = Image.fromarray(_eight_bits(dataset, pixels))
    picture.thumbnail((_LARGEST, _LARGEST))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=85)
    return stream.getvalue()


def _eight_bits(dataset: Dataset, pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    values = np.asarray(pixels, dtype=np.float64)
    if values.ndim == 3:
        return np.clip(values, 0, 255).astype(np.uint8)
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low or 1.0) * 255.0
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        scaled = 255.0 - scaled
    return scaled.astype(np.uint8)
