"""A second opinion: what highdicom reads of our documents, and what we make of its presentation states."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from harness.actors.objects import SUBJECTS, uid_source
from harness.actors.presentation import reading as display_reading
from harness.actors.presentation.objects import make
from harness.actors.reports.documents import Code, Referenced, ReportPlan, key_object_note, report
from harness.core.check import Declaration
from harness.core.message import Direction
from harness.imaging.render import render
from harness.profiles.ari.checks import CHECKS as ARI_CHECKS
from harness.profiles.ari.checks import content
from harness.profiles.ari.mapping import documents as table
from harness.profiles.cpi import appearance
from harness.profiles.cpi.checks import CHECKS as CPI_CHECKS
from harness.profiles.journal import STUDY_ROOT_MOVE
from harness.profiles.values import plain_values
from harness.protocols.dicom.datasets import encode
from harness.protocols.dicom.uids import EXPLICIT_VR_LE
from harness.validation.finding import Severity
from harness.validation.objects import validate_dataset_bytes
from tests.unit.profiles.builders import Story

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it imports deprecates things of its own
    import highdicom as hd

UID = uid_source(7)
MADE = make("VOI window", SUBJECTS[0], UID)
PLAN = ReportPlan(SUBJECTS[0], str(MADE.image.StudyInstanceUID), images=(Referenced.of(MADE.image),), shared=MADE.image)


def test_our_key_image_note_is_one_for_highdicom() -> None:
    note = hd.ko.KeyObjectSelectionDocument.from_dataset(key_object_note(PLAN, UID, text="Look here"))
    (reference,) = note.content.get_references()
    assert reference.referenced_sop_instance_uid == MADE.image.SOPInstanceUID


def test_our_report_with_measurements_is_an_enhanced_report_for_highdicom() -> None:
    plan = ReportPlan(PLAN.subject, PLAN.study, images=PLAN.images, measurements=(("Length", 12.5),))
    read = hd.sr.EnhancedSR.from_dataset(report(plan, UID))
    numbers = read.content.find(hd.sr.CodedConcept("410668003", "SCT", "Length"))
    found = [item for item in _walk(read.content) if isinstance(item, hd.sr.NumContentItem)]
    assert [item.value for item in (*numbers, *found)][:1] == [12.5]


def _walk(items: hd.sr.ContentSequence) -> list[hd.sr.ContentItem]:
    found: list[hd.sr.ContentItem] = []
    for item in items:
        found.append(item)
        found += _walk(item.ContentSequence) if "ContentSequence" in item else []
    return found


def test_a_key_image_note_of_highdicom_follows_the_template_for_us() -> None:
    selection = hd.ko.KeyObjectSelection(
        document_title=hd.sr.CodedConcept("113000", "DCM", "Of Interest"), referenced_objects=[MADE.image]
    )
    note = hd.ko.KeyObjectSelectionDocument(
        evidence=[MADE.image],
        content=selection,
        series_instance_uid=UID(),
        series_number=9,
        sop_instance_uid=UID(),
        instance_number=1,
        manufacturer="highdicom",
        institution_name="Hospital",
    )
    attributes = plain_values(note)
    assert list(content.tree_problems(attributes, table.KEY_OBJECT_SELECTION)) == []
    assert content.template_of(attributes) == "2010"
    assert content.member(content.title(attributes)[:2], 7010) is True
    assert content.unlisted(attributes) == []


@pytest.mark.parametrize(
    ("title", "group"),
    [(Code("113001", "DCM", "Rejected for Quality Reasons"), 7010), (Code("121071", "DCM", "Finding"), None)],
)
def test_titles_are_looked_up_in_their_context_group(title: Code, group: int | None) -> None:
    note = plain_values(key_object_note(PLAN, UID, title=title))
    assert content.member(content.title(note)[:2], 7010) is (group == 7010)


def test_a_presentation_state_of_highdicom_is_shown_alike_by_both_readings() -> None:
    state = hd.pr.GrayscaleSoftcopyPresentationState(
        referenced_images=[MADE.image],
        series_instance_uid=UID(),
        series_number=3,
        sop_instance_uid=UID(),
        instance_number=1,
        manufacturer="highdicom",
        manufacturer_model_name="second opinion",
        software_versions="1",
        device_serial_number="1",
        content_label="SECOND",
        voi_lut_transformations=[hd.pr.SoftcopyVOILUTTransformation(window_center=2048.0, window_width=1024.0)],
        presentation_lut_transformation=hd.PresentationLUTTransformation(presentation_lut_shape="INVERSE"),
    )
    encoded = encode(state, EXPLICIT_VR_LE)
    found = validate_dataset_bytes(encoded, EXPLICIT_VR_LE, None)
    assert [str(one) for one in found if one.severity is Severity.ERROR] == []
    judged = appearance.of(MADE.image, state).p_values
    image = display_reading.picture(MADE.image)
    shown = render(image, display_reading.presentation(state, MADE.image)).p_values
    # PS3.3 C.11.2.1.2.1, inverted
    computed = 1.0 - np.clip((image.frame() - (2048.0 - 0.5)) / (1024.0 - 1.0) + 0.5, 0.0, 1.0)
    assert np.abs(judged - computed).max() < 1e-9
    assert np.abs(shown - computed).max() < 1e-9


def _note_of_highdicom() -> Any:
    selection = hd.ko.KeyObjectSelection(
        document_title=hd.sr.CodedConcept("113000", "DCM", "Of Interest"), referenced_objects=[MADE.image]
    )
    return hd.ko.KeyObjectSelectionDocument(evidence=[MADE.image], content=selection, **_common(11))


def _state_of_highdicom() -> Any:
    return hd.pr.GrayscaleSoftcopyPresentationState(
        referenced_images=[MADE.image],
        content_label="SECOND",
        manufacturer_model_name="second opinion",
        software_versions="1",
        device_serial_number="1",
        voi_lut_transformations=[hd.pr.SoftcopyVOILUTTransformation(window_center=2048.0, window_width=1024.0)],
        presentation_lut_transformation=hd.PresentationLUTTransformation(presentation_lut_shape="IDENTITY"),
        **{key: value for key, value in _common(12).items() if key != "institution_name"},
    )


def _measurements_of_highdicom(made: Callable[..., Dataset]) -> Dataset:
    """A measurement report (TID 1500) with a region in the image: legal, and nothing like TID 2000."""
    region = hd.sr.ImageRegion(
        graphic_type=hd.sr.GraphicTypeValues.POLYLINE,
        graphic_data=np.array([[3.0, 3.0], [9.0, 3.0], [9.0, 9.0], [3.0, 3.0]]),
        source_image=hd.sr.SourceImageForRegion.from_source_image(MADE.image),
    )
    group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid=UID(), identifier="lesion"),
        referenced_region=region,
        measurements=[
            hd.sr.Measurement(
                name=hd.sr.CodedConcept("42798000", "SCT", "Area"),
                value=12.5,
                unit=hd.sr.CodedConcept("mm2", "UCUM", "square millimeter"),
            )
        ],
    )
    observer = hd.sr.ObserverContext(
        observer_type=hd.sr.CodedConcept("121006", "DCM", "Person"),
        observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(name="Reader^Ruth"),
    )
    content_of_report = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_person_context=observer),
        procedure_reported=hd.sr.CodedConcept("168537006", "SCT", "Plain radiography"),
        imaging_measurements=[group],
    )
    return made(evidence=[MADE.image], content=content_of_report[0], is_complete=True, is_final=True, **_common(13))


def _common(series: int) -> dict[str, Any]:
    return {
        "series_instance_uid": UID(),
        "series_number": series,
        "sop_instance_uid": UID(),
        "instance_number": 1,
        "manufacturer": "highdicom",
        "institution_name": "Hospital",
    }


@pytest.mark.parametrize(
    ("document", "actor"),
    [
        (_note_of_highdicom, "Image Manager/Archive"),
        (_note_of_highdicom, "Acquisition Modality"),
        (_state_of_highdicom, "Image Manager/Archive"),
        (_state_of_highdicom, "Acquisition Modality"),
        (lambda: _measurements_of_highdicom(hd.sr.EnhancedSR), "Report Repository"),
        (lambda: _measurements_of_highdicom(hd.sr.ComprehensiveSR), "Report Repository"),
        (lambda: _measurements_of_highdicom(hd.sr.ComprehensiveSR), "Image Manager/Archive"),
    ],
    ids=["note kept", "note made", "state kept", "state made", "enhanced", "comprehensive", "evidence"],
)
def test_what_highdicom_makes_breaks_no_requirement(document: Callable[[], Dataset], actor: str) -> None:
    made = document()
    story = Story(Declaration(frozenset({actor}), frozenset({"CPI", "ARI"})))
    ours = actor != "Acquisition Modality"
    for ds in (MADE.image, made):
        story.ask(
            f"store {ds.Modality}",
            "C-STORE-RQ",
            Direction.TO_SUT if ours else Direction.FROM_SUT,
            str(ds.SOPClassUID),
            instance=str(ds.SOPInstanceUID),
        ).raw = encode(ds, EXPLICIT_VR_LE)
    if ours:
        keys = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": str(made.StudyInstanceUID)}
        story.ask("move", "C-MOVE-RQ", Direction.TO_SUT, STUDY_ROOT_MOVE, keys, status=None)
        story.associate("delivery", Direction.FROM_SUT, (str(made.SOPClassUID),), 5)
        for ds in (MADE.image, made):
            story.ask(
                f"delivered {ds.Modality}",
                "C-STORE-RQ",
                Direction.FROM_SUT,
                str(ds.SOPClassUID),
                instance=str(ds.SOPInstanceUID),
                association=5,
            ).raw = encode(ds, EXPLICIT_VR_LE)
        counts = {"NumberOfCompletedSuboperations": 2, "NumberOfFailedSuboperations": 0}
        story.answer("move", 0, fields={**counts, "NumberOfWarningSuboperations": 0})
    exchange = story.exchange()
    seen = [(check.requirement, one) for check in (*ARI_CHECKS, *CPI_CHECKS) for one in check(exchange)]
    assert {row for row, _ in seen if row.startswith(("RAD-", "ARI"))}
    assert [(row, one.summary) for row, one in seen if one.ok is False] == []
