"""What the console offers beyond its tabs: media, film preview, traffic, statements, presets, and a loud banner."""

from __future__ import annotations

import datetime
import io
import json
import time
import zipfile
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.modality import defects
from harness.modality.console.dates import PAST, PLANNED, range_of
from harness.modality.domain import Patient, ScheduledStep
from harness.modality.errors import Refused
from harness.modality.server import Server
from harness.modality.service import Modality
from tests.unit.modality.test_interfaces import offline
from tests.unit.modality.visitor import Place, Visitor, pages, served, with_study


def burned(place: Place, **values: str) -> dict[str, object]:
    place.visitor.press("studies/media", **values)
    until = time.monotonic() + 30
    while (found := place.modality.media.media_list()[0])["state"] in {"waiting", "running"}:
        assert time.monotonic() < until, found
        mark = place.modality.kernel.queue.changed.mark()
        place.modality.kernel.queue.changed.wait(mark, 0.2)
    return found


def test_medium_is_written_in_the_background_and_fetched(place: Place) -> None:
    study, _ = with_study(place)
    text = place.visitor.open(f"/console/studies/media?study={study}")[1]
    assert "2 objects" in text
    found = burned(place, study=study, form="zip", pages="1")
    assert found["state"] == "done"
    assert f'href="/console/media/{found["job"]}"' in place.visitor.open("/console/studies/media/live")[1]
    status, _, (headers, raw) = place.visitor.open(f"/console/media/{found['job']}")
    assert (status, "attachment" in headers["content-disposition"]) == (200, True)
    names = zipfile.ZipFile(io.BytesIO(raw)).namelist()
    assert {"DICOMDIR", "README.TXT", "INDEX.HTM"} <= set(names)


def test_only_media_below_the_home_are_handed_out(place: Place, tmp_path: Path) -> None:
    study, _ = with_study(place)
    place.modality.kernel.served = False
    outside = place.modality.media.burn([study], target=str(tmp_path / "elsewhere.zip"))
    assert outside["state"] == "done"
    for job in (outside["job"], 999):
        assert place.visitor.open(f"/console/media/{job}")[0] == 404
    assert place.visitor.open("/console/media/..%2f..%2fetc%2fpasswd")[0] in {404, 422}


def test_film_is_previewed_as_it_will_be_printed(place: Place) -> None:
    study, image = with_study(place)
    wanted = {"layout": "1x2", "film_size": "14INX17IN", "orientation": "LANDSCAPE", "copies": "1", "medium": "PAPER"}
    text = place.visitor.press("studies/print/preview", study=study, instance=image, **wanted)
    assert "/console/film.png?instance=" in text
    address = text.split('class="film" src="')[1].split('"')[0].replace("&amp;", "&")
    status, _, (headers, raw) = place.visitor.open(address)
    assert (status, headers["content-type"], raw[:4]) == (200, "image/png", b"\x89PNG")
    width, height = (int.from_bytes(raw[i : i + 4], "big") for i in (16, 20))
    assert width / height == pytest.approx(17 / 14, abs=0.01)
    assert "do not fit" in place.visitor.press(
        "studies/print/preview", study=study, **{**wanted, "instance": [image] * 3}
    )


def test_statements_are_shown_without_rights(tmp_path: Path) -> None:
    document = tmp_path / "dicom.html"
    document.write_text("<html><script>1</script><p>Claims</p></html>", encoding="utf-8")
    with served(tmp_path / "home", statements=[document]) as place:
        stranger = Visitor(place.server.url)
        assert stranger.open("/console/conformance/dicom", follow=False)[0] == 303
        assert "/console/conformance/dicom" in place.visitor.open("/console/conformance")[1]
        status, text, (headers, _) = place.visitor.open("/console/conformance/dicom")
        assert (status, "Claims" in text) == (200, True)
        policy = headers["content-security-policy"]
        assert "sandbox" in policy
        assert "script-src" not in policy
        assert place.visitor.open("/console/conformance/..%2fx")[0] == 404


def test_statement_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    with (
        Modality(tmp_path / "home", settings=offline()) as modality,
        pytest.raises(UsageError, match="statement cannot be read"),
    ):
        Server(modality, "127.0.0.1", 0, "t", [tmp_path / "none.html"])


def test_page_without_statements_says_how_to_make_one(place: Place) -> None:
    assert "ihe-harness statement dicom" in place.visitor.open("/console/conformance")[1]


def test_seeded_defect_is_told_on_every_page(tmp_path: Path) -> None:
    seeded = [each for each in defects.DEFECTS if not each.id.startswith("V")][:1]
    variant = defects.VARIANTS[0].id
    named = defects.named([seeded[0].id, variant])
    assert [each["id"] for each in named] == [seeded[0].id]
    with served(tmp_path / "home", seeded=named) as place:
        for tab in ("registration", "acquisition", "studies", "review", "query", "status", "config"):
            assert "DEFECTIVE ON PURPOSE" in place.visitor.open(f"/console/{tab}")[1]
        assert seeded[0].id in place.visitor.open("/console/config")[1]


def test_healthy_modality_has_no_banner(place: Place) -> None:
    assert "DEFECTIVE" not in place.visitor.open("/console/status")[1]


def test_traffic_is_listed_and_fetched(place: Place) -> None:
    port = place.modality.listener.port
    place.modality.administration.config_set(
        ["nodes.qr.enabled=true", f"nodes.qr.port={port}", "nodes.qr.ae_title=REFMOD"]
    )
    assert place.modality.administration.verify("qr")[0]["ok"]
    found = place.modality.administration.associations()
    assert {each["incoming"] for each in found} == {True, False}
    mine = next(each for each in found if not each["incoming"])
    assert (mine["peer"], mine["state"], mine["messages"]) == ("REFMOD", "released", 2)
    assert mine["services"] == ["Verification SOP Class"]
    assert mine["received"] > 100 < mine["sent"]
    assert "Verification SOP Class" in place.visitor.open("/console/status")[1]
    status, _, (_, raw) = place.visitor.open("/console/status/traffic.pcapng")
    assert (status, raw[:4]) == (200, b"\x0a\x0d\x0d\x0a")
    assert b"REFMOD" in raw


@pytest.mark.parametrize("preset", ["today", "yesterday", "tomorrow", "next-7", "last-7", "any"])
def test_presets_are_ranges_of_days(preset: str) -> None:
    made = range_of(preset, datetime.date(2026, 3, 1))
    wanted = {
        "today": "20260301", "yesterday": "20260228", "tomorrow": "20260302", "next-7": "20260301-20260307",
        "last-7": "20260223-20260301", "any": "",
    }  # fmt: skip
    assert made == wanted[preset]


def test_presets_that_do_not_exist_are_refused() -> None:
    assert set(PLANNED) | set(PAST) <= {"today", "tomorrow", "next-7", "yesterday", "last-7", "any"}
    with pytest.raises(Refused, match="no range"):
        range_of("someday", datetime.date(2026, 3, 1))


def test_paths_of_the_network_stay_below_the_home(place: Place) -> None:
    study, image = with_study(place)
    home = place.modality.kernel.home
    for target in ("/tmp/x", "../x", "a/b", "", "..", ".x", "x\0y", "C:\\x"):
        for name, values in (
            ("burn", {"studies": [study], "form": "folder"}), ("export", {"studies": [study]}),
            ("render", {"instance": image}), ("compress", {"instance": image, "syntax": "explicit"}),
            ("capture-save", {}),
        ):  # fmt: skip
            if name == "burn" and not target:
                continue
            body = json.dumps({**values, "target": target}).encode()
            status = ask(place.visitor, f"/api/{name}", body)
            assert (name, target, status) == (name, target, 409)
    assert ask(place.visitor, "/api/render", json.dumps({"instance": image, "target": "a.png"}).encode()) == 200
    assert (home / "export" / "a.png").read_bytes()[:4] == b"\x89PNG"


def ask(visitor: Visitor, path: str, body: bytes) -> int:
    import urllib.error
    import urllib.request

    request = urllib.request.Request(
        f"{visitor.url}{path}", body, {"Content-Type": "application/json", "X-Modality-Token": "t"}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


def test_markup_from_a_worklist_is_text_on_every_page(place: Place) -> None:
    hostile = "<script>alert(1)</script>^\"'><img src=x onerror=alert(2)>"
    step = ScheduledStep(
        patient=Patient(name=hostile, id="<b>P1</b>"), study_instance_uid="1.2.3", step_id="<i>S</i>",
        requested_procedure_id="<u>R</u>", step_description=hostile[:60], modality="DX", start_date="<em>",
        station_ae_title="<hr>", accession_number="'><a>", requested_procedure_description=hostile[:60],
    )  # fmt: skip
    place.modality.registration._keep([step])
    texts = [place.visitor.open("/console/registration")[1]]
    exam = place.modality.registration.register(items=[1])["exam"]
    place.modality.examination.start(exam)
    place.modality.examination.expose(exam)
    texts.append(place.visitor.open(f"/console/acquisition?exam={exam}")[1])
    place.modality.examination.end(exam)
    place.modality.media.burn(["1.2.3"], form="zip")
    texts += [place.visitor.open(f"/console/{page}")[1] for page in pages("1.2.3")]
    for text in texts:
        for markup in ("<script>alert", "<img src=x", "<b>P1", "<i>S", "<u>R", "<em>", "<hr>", "'><a>"):
            assert markup not in text
    assert all("&lt;script&gt;alert(1)" in text for text in texts[:2])
    page = zipfile.ZipFile(place.modality.media.file_of(place.modality.media.media_list()[0]["job"]))
    for name in page.namelist():
        if name.upper().endswith(".HTM"):
            assert b"<script>alert" not in page.read(name)
