"""Each check of CPI about presentation states, archives, displays and coverage: good passes, one change fails."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from harness.core.check import Declaration, Exchange
from harness.core.message import Direction, Protocol
from harness.core.transcript import Transcript
from harness.imaging import phantoms, png
from harness.imaging.gsdf import DisplayCurve
from harness.imaging.luts import quantized
from harness.imaging.phantoms import PixelFormat
from harness.imaging.presentation import PresentationState
from harness.imaging.render import render
from harness.profiles import facts as common_facts
from harness.profiles.cpi import facts, reading
from harness.profiles.cpi.checks import CHECKS
from harness.profiles.journal import COMMITMENT, COMMITMENT_INSTANCE, MPPS, STUDY_ROOT_FIND, STUDY_ROOT_MOVE
from harness.protocols.dicom.datasets import encode
from tests.integration.imaging import objects
from tests.unit.profiles.builders import EXPLICIT, FROM_SUT, TO_SUT, Event, Story, failing, observed

IMAGE = objects.image(phantoms.chest(40, 48, form=PixelFormat(12)))
MAKER = Declaration(frozenset({"Acquisition Modality"}), frozenset({"CPI"}))
ARCHIVE = Declaration(frozenset({"Image Manager/Archive"}), frozenset({"CPI"}))
DISPLAY = Declaration(frozenset({"Image Display"}), frozenset({"CPI"}))


def state(change: Callable[[Dataset], object] | None = None) -> Dataset:
    def windowed(ds: Dataset) -> None:
        ds.SoftcopyVOILUTSequence = objects.items(WindowCenter=2000, WindowWidth=3000)
        if change:
            change(ds)

    return objects.state(IMAGE, windowed)


def store(
    story: Story, name: str, direction: Direction, ds: Dataset, *, association: int = 1, status: int = 0
) -> Event:
    event = story.ask(
        name,
        "C-STORE-RQ",
        direction,
        str(ds.SOPClassUID),
        instance=str(ds.SOPInstanceUID),
        association=association,
        status=status,
    )
    event.raw = encode(ds, EXPLICIT)
    return event


def made(change: Callable[[Dataset], object] | None = None, image: Dataset = IMAGE) -> Story:
    """A modality stores an image and a presentation state, lists both and asks commitment for both."""
    story = Story(MAKER)
    story.associate("association", FROM_SUT, (objects.COMPUTED_RADIOGRAPHY, COMMITMENT), 1)
    store(story, "image", FROM_SUT, image)
    store(story, "state", FROM_SUT, state(change))
    uids = (str(IMAGE.SOPInstanceUID), str(state().SOPInstanceUID))
    series = {
        "SeriesInstanceUID": str(state().SeriesInstanceUID),
        "ReferencedImageSequence": [],
        "ReferencedNonImageCompositeSOPInstanceSequence": [
            {"ReferencedSOPClassUID": objects.GRAYSCALE_PRESENTATION_STATE, "ReferencedSOPInstanceUID": uids[1]}
        ],
    }
    story.ask("end", "N-SET-RQ", FROM_SUT, MPPS, {"PerformedSeriesSequence": [series]}, instance="1.2.5.1")
    asked = [{"ReferencedSOPClassUID": "1.2", "ReferencedSOPInstanceUID": uid} for uid in uids]
    story.ask(
        "commit",
        "N-ACTION-RQ",
        FROM_SUT,
        COMMITMENT,
        {"TransactionUID": "1.2.7", "ReferencedSOPSequence": asked},
        instance=COMMITMENT_INSTANCE,
    )
    return story


def without(*keywords: str) -> Callable[[Dataset], None]:
    def change(ds: Dataset) -> None:
        for keyword in keywords:
            del ds[keyword]

    return change


def value(keyword: str, new: Any) -> Callable[[Dataset], None]:
    return lambda ds: setattr(ds, keyword, new)


def _other_reference(ds: Dataset) -> None:
    ds.ReferencedSeriesSequence[0].ReferencedImageSequence[0].ReferencedSOPInstanceUID = "1.2.99"


def _wrong_class(ds: Dataset) -> None:
    ds.ReferencedSeriesSequence[0].ReferencedImageSequence[0].ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"


def _no_such_frame(ds: Dataset) -> None:
    ds.ReferencedSeriesSequence[0].ReferencedImageSequence[0].ReferencedFrameNumber = 7


def _area_of_another(ds: Dataset) -> None:
    ds.DisplayedAreaSelectionSequence[0].ReferencedImageSequence = objects.items(
        ReferencedSOPClassUID="1.2", ReferencedSOPInstanceUID="1.2.99"
    )


def _true_size_without_spacing(ds: Dataset) -> None:
    ds.DisplayedAreaSelectionSequence[0].PresentationSizeMode = "TRUE SIZE"


def _both_luts(ds: Dataset) -> None:
    ds.PresentationLUTSequence = objects.table(0, np.arange(256), 8)


STATE_CASES: list[tuple[str, Callable[[Dataset], object]]] = [
    ("state-class-and-modality", value("Modality", "CR")),
    ("state-in-study-own-series", value("StudyInstanceUID", "1.2.77")),
    ("state-in-study-own-series", value("SeriesInstanceUID", str(IMAGE.SeriesInstanceUID))),
    ("state-references-resolve", _other_reference),
    ("state-references-resolve", _wrong_class),
    ("state-references-resolve", _no_such_frame),
    ("state-references-resolve", without("ReferencedSeriesSequence")),
    ("state-identification", without("ContentLabel")),
    ("state-identification", without("ContentCreatorName")),
    ("state-identification", value("PresentationCreationDate", "")),
    ("state-displayed-areas", without("DisplayedAreaSelectionSequence")),
    ("state-displayed-areas", _area_of_another),
    ("state-displayed-areas", _true_size_without_spacing),
    ("state-one-presentation-lut", _both_luts),
    ("state-one-presentation-lut", without("PresentationLUTShape")),
    ("state-one-presentation-lut", value("PresentationLUTShape", "LIN OD")),
    ("state-complete-in-itself", value("ImageRotation", 45)),
    ("state-shared-and-listed", value("PatientID", "OTHER")),
    ("objects-share-study", value("StudyDate", "19990101")),
]


@pytest.mark.parametrize("check_id", sorted({case[0] for case in STATE_CASES} | {"state-committed", "cpi-modality"}))
def test_a_good_state_passes(check_id: str) -> None:
    seen = observed(check_id, made())
    assert seen
    assert [one.ok for one in seen] == [True] * len(seen)


@pytest.mark.parametrize(("check_id", "change"), STATE_CASES)
def test_a_bad_state_fails(check_id: str, change: Callable[[Dataset], object]) -> None:
    assert failing(check_id, made(change))


def _hounsfield(ds: Dataset) -> None:
    ds.RescaleSlope, ds.RescaleIntercept = 1, -1024


def _of_hounsfield(change: Callable[[Dataset], object] | None = None, **window: float) -> list[bool | None]:
    """What is said of a state for an image of Hounsfield values whose own window is 40, 400."""

    def ct(ds: Dataset) -> None:
        _hounsfield(ds)
        ds.WindowCenter, ds.WindowWidth = 40, 400

    def look(ds: Dataset) -> None:
        ds.SoftcopyVOILUTSequence = objects.items(WindowCenter=window["center"], WindowWidth=window["width"])
        if change:
            change(ds)

    image = objects.image(phantoms.chest(40, 48, form=PixelFormat(12)), ct)
    return [one.ok for one in observed("state-complete-in-itself", made(look, image=image))]


def test_an_image_with_a_rescale_needs_one_in_the_state() -> None:
    assert _of_hounsfield(center=40, width=400) == [False], "the window of the image, but not its rescale"
    assert _of_hounsfield(_hounsfield, center=40, width=400) == [True]
    assert _of_hounsfield(center=-900, width=200) == [False], "no stored value lies in that window"
    assert _of_hounsfield(center=1064, width=400) == [None], "a window of stored values is legal"
    assert _of_hounsfield(without("SoftcopyVOILUTSequence"), center=0, width=1) == [True], "everything is shown"


def _colour_state(ds: Dataset) -> None:
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.11.2"
    del ds.PresentationLUTShape


def test_colour_and_blending_states_are_left_alone() -> None:
    story = made()
    store(story, "colour", FROM_SUT, state(_colour_state))
    for check_id in ("state-class-and-modality", "state-one-presentation-lut", "state-complete-in-itself"):
        assert len(observed(check_id, story)) == len(observed(check_id, made()))


def test_an_image_that_passed_before_this_exchange_is_no_fault() -> None:
    story = Story(MAKER)
    store(story, "state", FROM_SUT, state())
    assert [one.ok for one in observed("state-references-resolve", story)] == [None]
    story.fact(
        common_facts.KNOWN_OBJECTS,
        instances=[
            {
                "SOPInstanceUID": str(IMAGE.SOPInstanceUID),
                "SOPClassUID": str(IMAGE.SOPClassUID),
                "SeriesInstanceUID": str(IMAGE.SeriesInstanceUID),
                "StudyInstanceUID": str(IMAGE.StudyInstanceUID),
            }
        ],
    )
    assert [one.ok for one in observed("state-references-resolve", story)] == [True]


def _frames_of(*groups: tuple[int, ...]) -> Callable[[Dataset], None]:
    """A displayed area for each group of frames."""

    def change(ds: Dataset) -> None:
        area = ds.DisplayedAreaSelectionSequence[0]
        areas = []
        for frames in groups:
            one = copy.deepcopy(area)
            one.ReferencedImageSequence = objects.items(
                ReferencedSOPClassUID=IMAGE.SOPClassUID,
                ReferencedSOPInstanceUID=IMAGE.SOPInstanceUID,
                ReferencedFrameNumber=list(frames),
            )
            areas.append(one)
        ds.DisplayedAreaSelectionSequence = areas

    return change


def test_displayed_areas_may_share_the_frames_among_them() -> None:
    def of_three(ds: Dataset) -> None:
        ds.NumberOfFrames, ds.PixelData = 3, ds.PixelData * 3

    image = objects.image(phantoms.chest(40, 48, form=PixelFormat(12)), of_three)
    assert not failing("state-displayed-areas", made(_frames_of((1, 2), (3,)), image=image))
    assert failing("state-displayed-areas", made(_frames_of((1, 2)), image=image)), "frame 3 has none"

    def second_is_bad(ds: Dataset) -> None:
        _frames_of((1, 2), (3,))(ds)
        ds.DisplayedAreaSelectionSequence[1].PresentationSizeMode = "TRUE SIZE"

    assert failing("state-displayed-areas", made(second_is_bad, image=image))


def _graphic(kind: str, points: list[float], units: str = "PIXEL", layer: str = "A") -> Callable[[Dataset], None]:
    def change(ds: Dataset) -> None:
        ds.GraphicLayerSequence = objects.items(GraphicLayer="A", GraphicLayerOrder=1)
        graphic = objects.items(
            GraphicAnnotationUnits=units,
            GraphicDimensions=2,
            NumberOfGraphicPoints=len(points) // 2,
            GraphicData=points,
            GraphicType=kind,
            GraphicFilled="N",
        )
        ds.GraphicAnnotationSequence = objects.items(GraphicLayer=layer, GraphicObjectSequence=graphic)

    return change


def _text_nowhere(ds: Dataset) -> None:
    _graphic("POINT", [1, 1])(ds)
    ds.GraphicAnnotationSequence[0].TextObjectSequence = objects.items(UnformattedTextValue="WHERE")


def _overlay_in_no_layer(ds: Dataset) -> None:
    ds.add_new((0x6000, 0x1001), "CS", "NOWHERE")


def _bitmap_shutter_of_nothing(ds: Dataset) -> None:
    ds.ShutterShape, ds.ShutterOverlayGroup, ds.ShutterPresentationValue = "BITMAP", 0x6000, 0


def _area_without_corner(ds: Dataset) -> None:
    del ds.DisplayedAreaSelectionSequence[0].DisplayedAreaTopLeftHandCorner


@pytest.mark.parametrize(
    "change",
    [
        _graphic("CIRCLE", [1, 1, 5, 5, 7, 7]),
        _graphic("ELLIPSE", [1, 1, 5, 5]),
        _graphic("POLYLINE", [1, 1]),
        _graphic("POLYLINE", [10, 10, 20, 20], "DISPLAY"),
        _graphic("POLYLINE", [1, 1, 5, 5], layer="B"),
        _text_nowhere,
        _overlay_in_no_layer,
        _bitmap_shutter_of_nothing,
        _area_without_corner,
    ],
)
def test_a_state_that_contradicts_itself_cannot_be_applied(change: Callable[[Dataset], object]) -> None:
    assert [one.ok for one in observed("state-complete-in-itself", made(change))] == [False]


@pytest.mark.parametrize(
    "change", [_graphic("CIRCLE", [20, 20, 25, 20]), _graphic("POLYLINE", [0.1, 0.1, 1.0, 0.9], "DISPLAY")]
)
def test_right_graphics_pass(change: Callable[[Dataset], object]) -> None:
    assert [one.ok for one in observed("state-complete-in-itself", made(change))] == [True]


def test_a_state_that_is_not_committed_or_listed_is_found() -> None:
    story = made()
    story.data("commit")["ReferencedSOPSequence"].pop()
    assert failing("state-committed", story)
    assert failing("cpi-modality", story)
    story = made()
    story.data("end")["PerformedSeriesSequence"][0]["ReferencedNonImageCompositeSOPInstanceSequence"] = []
    assert failing("state-shared-and-listed", story)


def test_the_same_uid_with_another_content_is_found() -> None:
    story = made()
    store(story, "again", FROM_SUT, state())
    assert not failing("state-new-instance", story)
    store(story, "changed", FROM_SUT, state(value("ContentLabel", "OTHER")))
    assert failing("state-new-instance", story)


def test_a_reference_to_nothing_is_found() -> None:
    assert not failing("references-exist", made())
    assert failing("references-exist", made(_other_reference))


# -- the archive ---------------------------------------------------------------------------------------------------


def archived(**answer: Any) -> Story:
    """We store, query at study and image level, and retrieve; ``answer`` changes the image level answer."""
    story, look = Story(ARCHIVE), state()
    store(story, "image", TO_SUT, IMAGE)
    store(story, "state", TO_SUT, look)
    keys = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": str(IMAGE.StudyInstanceUID), "ModalitiesInStudy": ""}
    story.ask("study", "C-FIND-RQ", TO_SUT, STUDY_ROOT_FIND, keys, status=None)
    story.answer("study", 0xFF00, {**keys, "ModalitiesInStudy": "CR\\PR"}, name="study match")
    story.answer("study", 0)
    fields = ("ContentLabel", "PresentationCreationDate", "PresentationCreationTime", "ContentDescription")
    series = look.ReferencedSeriesSequence[0]
    found = {
        "QueryRetrieveLevel": "IMAGE",
        "StudyInstanceUID": str(IMAGE.StudyInstanceUID),
        "SeriesInstanceUID": str(look.SeriesInstanceUID),
        "SOPInstanceUID": str(look.SOPInstanceUID),
        **{keyword: str(look.get(keyword)) for keyword in fields},
        "ReferencedSeriesSequence": [
            {
                "SeriesInstanceUID": str(series.SeriesInstanceUID),
                "ReferencedImageSequence": [
                    {
                        "ReferencedSOPClassUID": str(IMAGE.SOPClassUID),
                        "ReferencedSOPInstanceUID": str(IMAGE.SOPInstanceUID),
                    }
                ],
            }
        ],
        **answer,
    }
    asked = {keyword: [] if isinstance(kept, list) else "" for keyword, kept in found.items()}
    asked.update({k: found[k] for k in ("QueryRetrieveLevel", "StudyInstanceUID", "SeriesInstanceUID")})
    story.ask("images", "C-FIND-RQ", TO_SUT, STUDY_ROOT_FIND, asked, status=None)
    story.answer("images", 0xFF00, found, name="image match")
    story.answer("images", 0)
    story.ask("move", "C-MOVE-RQ", TO_SUT, STUDY_ROOT_MOVE, {"QueryRetrieveLevel": "STUDY"}, status=None)
    story.associate("delivery", FROM_SUT, (objects.GRAYSCALE_PRESENTATION_STATE,), 5)
    event = store(story, "delivered", FROM_SUT, look, association=5)
    event.fields["MoveOriginatorMessageID"] = 1
    story.answer("move", 0, name="move answer")
    return story


def _deliver_changed(story: Story) -> None:
    story["delivered"].raw = encode(state(value("ContentLabel", "X")), EXPLICIT)


def _refuse(story: Story) -> None:
    story["state answer"].fields["Status"] = 0xA700


def _forget_modality(story: Story) -> None:
    story.data("study match")["ModalitiesInStudy"] = "CR"


def _lose(keyword: str) -> Callable[[Story], None]:
    def change(story: Story) -> None:
        del story.data("image match")[keyword]

    return change


def _refuse_everything(story: Story) -> None:
    for name in ("study", "images"):
        story[f"{name} response"].fields["Status"] = 0xA700


def _find_nothing(level: str) -> Callable[[Story], None]:
    return lambda story: story.drop(f"{level} match")


ARCHIVE_CASES: list[tuple[str, Callable[[Story], None]]] = [
    ("archive-state-kept", _deliver_changed),
    ("archive-state-kept", _refuse),
    ("archive-state-delivered", _deliver_changed),
    ("archive-state-labels", _lose("ContentLabel")),
    ("archive-state-references", _lose("ReferencedSeriesSequence")),
    ("archive-state-modality", _forget_modality),
    ("archive-state-labels", _find_nothing("image")),
    ("archive-state-references", _find_nothing("image")),
    ("archive-state-modality", _find_nothing("study")),
    ("cpi-archive", _refuse_everything),
]


@pytest.mark.parametrize("check_id", sorted({case[0] for case in ARCHIVE_CASES}))
def test_a_good_archive_passes(check_id: str) -> None:
    seen = observed(check_id, archived())
    assert seen
    assert all(one.ok for one in seen), [one.summary for one in seen]


@pytest.mark.parametrize(("check_id", "change"), ARCHIVE_CASES)
def test_a_bad_archive_fails(check_id: str, change: Callable[[Story], None]) -> None:
    story = archived()
    change(story)
    assert failing(check_id, story)


# -- the display ---------------------------------------------------------------------------------------------------


def display_queries(**keys: str) -> Story:
    story = Story(DISPLAY)
    story.ask("series", "C-FIND-RQ", FROM_SUT, STUDY_ROOT_FIND, {"QueryRetrieveLevel": "SERIES", "Modality": "PR"})
    story.ask("images", "C-FIND-RQ", FROM_SUT, STUDY_ROOT_FIND, {"QueryRetrieveLevel": "IMAGE", **keys})
    story.ask("move", "C-MOVE-RQ", FROM_SUT, STUDY_ROOT_MOVE, {"QueryRetrieveLevel": "SERIES"})
    store(story, "state", TO_SUT, state(), association=4)
    return story


def test_a_display_that_asks_for_all_keys_and_takes_the_state_passes() -> None:
    whole = dict.fromkeys(("ContentLabel", "PresentationCreationDate", "PresentationCreationTime"), "")
    assert not failing("display-finds-states", display_queries(**whole))
    assert not failing("cpi-display", display_queries(**whole))
    assert failing("display-finds-states", display_queries(ContentLabel=""))
    refused = display_queries(**whole)
    refused["state answer"].fields["Status"] = 0xA900
    assert failing("cpi-display", refused)


def test_a_display_that_asks_nothing_of_the_states_of_a_study_is_found() -> None:
    """Instances of a series that our archive knows to hold states are asked without label and date."""
    story = display_queries(SeriesInstanceUID="1.2.77", SOPInstanceUID="")
    assert not failing("display-finds-states", story)
    known = [{"SOPInstanceUID": "1.2.78", "SeriesInstanceUID": "1.2.77", "Modality": "PR"}]
    story.fact("KNOWN-OBJECTS", instances=known)
    assert failing("display-finds-states", story)


DISPLAY_ROWS = sorted(c.requirement for c in CHECKS if c.requirement.startswith("CPI-DISP") and c.id[-2:] != "ce")


def shown(requirement: str, picture: np.ndarray[Any, Any], **more: Any) -> Exchange:
    story = Story(DISPLAY)
    store(story, "image", TO_SUT, IMAGE)
    store(story, "state", TO_SUT, state())
    story.add(Event("picture", "FILE", raw=png.encode(picture), protocol=Protocol.FILE))
    story.fact(
        facts.DISPLAYED,
        requirement=requirement,
        image=str(IMAGE.SOPInstanceUID),
        state=more.pop("state", str(state().SOPInstanceUID)),
        message="@picture",
        **more,
    )
    return story.exchange()


def _oracle() -> np.ndarray[Any, Any]:
    unit = render(reading.image(IMAGE), reading.presentation_state(state(), image=IMAGE)).p_values
    return quantized(unit, 8).astype(np.uint8)


@pytest.mark.parametrize("requirement", DISPLAY_ROWS)
def test_an_exported_picture_is_judged_by_its_pixels(requirement: str) -> None:
    check = next(c for c in CHECKS if c.requirement == requirement)
    right = _oracle()
    assert [seen.ok for seen in check(shown(requirement, right))] == [True]
    assert [seen.ok for seen in check(shown(requirement, 255 - right))] == [False]
    assert [seen.ok for seen in check(shown(requirement, right[:, ::-1].copy()))] == [False]
    assert list(check(shown("CPI-OTHER", right))) == []


def test_a_picture_of_another_size_is_judged_in_even_areas_and_a_region_is_cut_out() -> None:
    wedge = objects.image(phantoms.step_wedge(32, 64, steps=4, form=PixelFormat(12)))
    check = next(c for c in CHECKS if c.requirement == "CPI-DISP-02")
    unit = render(reading.image(wedge), PresentationState()).p_values
    large = np.repeat(np.repeat(quantized(unit, 8), 3, 0), 3, 1).astype(np.uint8)
    framed = np.full((large.shape[0] + 10, large.shape[1] + 20), 77, np.uint8)
    framed[4 : 4 + large.shape[0], 8 : 8 + large.shape[1]] = large

    def look(picture: np.ndarray[Any, Any], **more: Any) -> list[bool | None]:
        story = Story(DISPLAY)
        store(story, "image", TO_SUT, wedge)
        story.add(Event("picture", "FILE", raw=png.encode(picture), protocol=Protocol.FILE))
        uid = str(wedge.SOPInstanceUID)
        story.fact(facts.DISPLAYED, requirement="CPI-DISP-02", image=uid, state="", message="@picture", **more)
        return [seen.ok for seen in check(story.exchange())]

    assert look(large) == [True]
    assert look(framed, region=[8, 4, large.shape[1], large.shape[0]]) == [True]
    assert look(255 - large) == [False]
    assert look(large, region=[9000, 0, 1, 1]) == [None]


def test_a_picture_that_cannot_be_read_is_not_judged() -> None:
    story = Story(DISPLAY)
    store(story, "image", TO_SUT, IMAGE)
    story.add(Event("picture", "FILE", raw=b"no picture", protocol=Protocol.FILE))
    story.fact(
        facts.DISPLAYED, requirement="CPI-DISP-08", image=str(IMAGE.SOPInstanceUID), state="", message="@picture"
    )
    story.fact(facts.DISPLAYED, "second", requirement="CPI-DISP-08", image="1.2.99", state="", message=0)
    assert [seen.ok for seen in observed("display-08", story)] == [None, None]


def test_measured_luminances() -> None:
    unit = np.linspace(0, 1, 18)

    def measured(values: Any) -> list[bool | None]:
        story = Story(DISPLAY)
        samples = [[float(p), float(v)] for p, v in zip(unit, values, strict=True)]
        story.fact(facts.LUMINANCES, samples=samples)
        return [seen.ok for seen in observed("display-luminance", story)]

    assert measured(DisplayCurve(0.8, 350.0).of(unit)) == [True]
    assert measured(0.8 + 349.2 * unit**2.2) == [False]
    assert measured(np.full(18, -1.0)) == [None]


@pytest.mark.parametrize("check", CHECKS, ids=[check.id for check in CHECKS])
def test_nothing_seen_is_nothing_said(check: Any) -> None:
    assert list(check(Exchange(Transcript(), Declaration()))) == []


@pytest.mark.parametrize("base", [made, archived, display_queries], ids=["made", "archived", "display"])
def test_garbage_raises_nothing(base: Callable[[], Story]) -> None:
    story = base()
    for event in story.events:
        if event.raw is not None or (event.data is not None and not event.kind.startswith("#")):
            event.raw = b"\x00\x01garbage that is no data set\xff" * 3
    exchange = story.exchange()
    messages = {message.seq for message in exchange.transcript.messages}
    for check in CHECKS:
        for seen in check(exchange):
            assert set(seen.evidence) <= messages, check.id


def test_a_creator_is_judged_as_a_modality_is() -> None:
    story = made()
    story.declare(actors={"Evidence Creator"})
    assert not failing("cpi-creator", story)
    assert observed("cpi-creator", story)
    story.data("commit")["ReferencedSOPSequence"].pop()
    assert failing("cpi-creator", story)
