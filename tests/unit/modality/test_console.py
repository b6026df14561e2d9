"""Work through the forms of the console alone: patients, exams, studies, settings."""

from __future__ import annotations

import json

from harness.imaging import png
from tests.unit.modality.visitor import Place, with_study


def test_refused_patient_is_told_and_not_typed_twice(place: Place) -> None:
    text = place.visitor.press("registration/patient", patient_id="P", patient_name="KIM^A", accession_number="A" * 17)
    assert "accession number has 17 characters, 16 are allowed" in text
    assert 'value="KIM^A"' in text
    assert place.modality.examination.exams() == []


def test_worklist_that_is_not_there_says_why(place: Place) -> None:
    place.modality.administration.config_set(["nodes.mwl.enabled=true", "nodes.mwl.port=1"])
    text = place.visitor.press("registration/refresh", date="today")
    assert "NOT connected" in text
    assert "The port refuses the connection" in text
    assert "connection-refused" in text


def test_exam_by_hand_through_forms_alone(place: Place) -> None:
    press = place.visitor.press
    assert "HONG GIL DONG" in press(
        "registration/patient", patient_id="17796376", patient_name="HONG^GIL DONG", sex="M"
    )
    press("registration/start", exam=1)
    assert "not everything reached" not in press("acquisition/select", exam=1, protocol="Wrist|Wrist PA")
    refused = press("acquisition/shot", exam=1)
    assert "is not possible while the exam is in-progress" in refused
    press("acquisition/ready", exam=1, kvp="72", tube_current="200", exposure_time="50")
    shown = press("acquisition/shot", exam=1, kvp="72", tube_current="200", exposure_time="50")
    assert ">10.000</output>" in shown
    assert "Wrist PA" in shown
    status, _, (headers, raw) = place.visitor.open("/console/acquisition/1/1.png")
    assert (status, headers["content-type"], png.decode(raw).shape) == (200, "image/png", (512, 512))
    press("acquisition/reject", exam=1, number=0, reason="113001")
    press("acquisition/ready", exam=1)
    press("acquisition/shot", exam=1)
    press("acquisition/confirm", exam=1)
    press("acquisition/end", exam=1)
    exam = place.modality.examination.show(1)
    assert exam["mpps_status"] == "COMPLETED"
    assert [each["state"] for each in exam["objects"]] == ["rejected", "confirmed"]
    assert place.modality.administration.status()["studies"] == 1


def test_cancel_reports_the_chosen_reason(place: Place) -> None:
    place.modality.registration.register(patient_id="P")
    place.modality.examination.start()
    place.visitor.press("acquisition/cancel", exam=1, reason="110514", keep="1")
    document = place.modality.examination.show(1)["document"]
    assert (document["performed"]["status"], document["performed"]["reason"]["value"]) == ("DISCONTINUED", "110514")


def test_study_is_found_changed_and_not_deleted_too_early(place: Place) -> None:
    study, _ = with_study(place)
    assert "HONG GIL DONG" in place.visitor.open("/console/studies?patient_name=GIL")[1]
    assert "No study is here" in place.visitor.open("/console/studies?patient_name=KIM")[1]
    assert "no storage commitment yet" in place.visitor.press("studies/delete", study=study)
    place.visitor.press(
        "studies/modify", study=study, patient_id="P1", patient_name="HONG^GILDONG", birth_date="", sex="M"
    )
    assert place.modality.studies.studies()[0]["patient_name"] == "HONG^GILDONG"
    assert "press Start" in place.visitor.press("studies/scan", study=study)


def test_what_a_patient_is_called_is_text_and_nothing_else(place: Place) -> None:
    name = "<script>alert(1)</script>^\"'><img src=x>"
    text = place.visitor.press("registration/patient", patient_id="P", patient_name=name)
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_settings_are_saved_and_a_wrong_one_names_its_place(place: Place) -> None:
    place.visitor.press(
        "config/save", group="institution", name="서울대병원", department="R", station="S", location="L"
    )
    assert place.modality.kernel.settings.institution.name == "서울대병원"
    text = place.visitor.press("config/save", group="nodes.mwl", enabled="1", ae_title="A", host="h", port="70000")
    assert "70000 is not a port" in text
    assert place.modality.kernel.settings.nodes.mwl.enabled is False
    exported = place.visitor.open("/console/config/settings.toml")[1]
    assert "settings were imported" in place.visitor.press("config/import", settings=exported.replace("ROOM1", "R"))
    assert "cannot be read" in place.visitor.press("config/import", settings="not = = toml")
    assert "unknown key" in place.visitor.press("config/import", settings=json.dumps({"nope": {}}))


def test_verify_tells_causes_apart(place: Place) -> None:
    place.modality.administration.config_set(["nodes.qr.enabled=true", "nodes.qr.port=1"])
    place.modality.administration.config_set(["nodes.mpps.enabled=true", "nodes.mpps.host=no.such.invalid"])
    text = place.visitor.press("config/verify", node="all")
    for said in ("The node is switched off", "The port refuses the connection", "The host name is not known"):
        assert said in text


def test_key_images_are_noted_with_title_and_reason(place: Place) -> None:
    study, uid = with_study(place)
    at = {"study": study, "layout": "2x2", "instance": uid}
    assert "name at least one image" in place.visitor.press("review/note", **at, title="113000")
    refused = place.visitor.press("review/note", **at, marked=uid, title="113000", reason="111209")
    assert "take a reason of" in refused
    place.visitor.press("review/note", **at, marked=uid, title="113010", reason="111209", description="Turned")
    (note,) = [row for row in place.modality.studies.instances(study) if row["modality"] == "KO"]
    dump = json.dumps(place.modality.studies.dump(instance=note["sop_instance_uid"]))
    assert all(each in dump for each in ("113010", "111209", "Turned", uid))


def test_only_a_cancelled_exam_with_images_is_offered_another_entry(place: Place) -> None:
    with_study(place)
    assert "acquisition/reassign" not in place.visitor.open("/console/acquisition?exam=1")[1]
    assert "cancel it first with reason 110514" in place.visitor.press("acquisition/reassign", exam=1, item=1)
