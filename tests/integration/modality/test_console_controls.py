"""Controls of the console in headless Chromium that no whole exam presses: drags, angle, print, retry, C-GET, keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.integration.modality import programs
from tests.integration.modality.hospital import entry
from tests.integration.modality.test_console import Desk, chrome, desk, gone, rendering, seen
from tests.integration.print.dcmtk import print_scp

__all__ = ["chrome", "desk"]


def study(desk: Desk, patient_id: str = "C1", name: str = "CONTROL^ROOM") -> str:
    key = desk.modality.registration.register(patient_id=patient_id, patient_name=name)["exam"]
    desk.modality.administration.config_set(["end_exam.send=false", "end_exam.commit=false"])
    desk.modality.examination.start(key)
    desk.modality.examination.expose(key, count=2)
    return str(desk.modality.examination.end(key)["study_instance_uid"])


def drag(desk: Desk, tool: str, right: int, down: int) -> None:
    desk.one(f"#tools input[value={tool}]").click()
    mark = desk.chrome.find_element(By.ID, "viewer")
    tile = desk.one(".tile[data-active] img")
    actions = webdriver.ActionChains(desk.chrome, duration=30)
    actions.move_to_element(tile).click_and_hold().move_by_offset(right, down).release().perform()
    desk.wait(lambda _: gone(mark))


def value(desk: Desk, name: str) -> float:
    return float(str(desk.one(f"#tools [name={name}]").get_property("value")))


@pytest.mark.peer("chromium")
def test_zoom_and_pan_by_dragging_and_an_angle_by_clicks(desk: Desk) -> None:
    desk.errors()
    desk.size(1280)
    if not desk.modality.studies.studies():
        study(desk)
    uid = desk.modality.studies.studies()[0]["study_instance_uid"]
    desk.go(f"review?study={uid}&layout=1x1")
    drag(desk, "zoom", 0, -60)
    assert value(desk, "zoom") > 1.1
    drag(desk, "pan", 40, 25)
    assert (value(desk, "pan_x"), value(desk, "pan_y")) != (0, 0)
    view: dict[str, Any] = {name: value(desk, name) for name in ("zoom", "pan_x", "pan_y")}
    view |= {name: value(desk, name) for name in ("window_center", "window_width")}
    assert np.array_equal(seen(desk), rendering(desk, **view))
    desk.one("#tools input[value=angle]").click()
    mark = desk.chrome.find_element(By.ID, "viewer")
    tile = desk.one(".tile[data-active] img")
    for x, y in ((0, -80), (0, 0), (80, 0)):
        webdriver.ActionChains(desk.chrome, duration=10).move_to_element_with_offset(tile, x, y).click().perform()
    desk.wait(lambda _: gone(mark))
    assert "Angle 90.0°" in desk.one(".tile[data-active] .br").text
    assert desk.errors() == []


@pytest.mark.peer("chromium")
def test_failed_print_is_told_and_retried_from_the_status_tab(desk: Desk, tmp_path: Path) -> None:
    desk.errors()
    uid = study(desk)
    desk.modality.administration.config_set(["nodes.printer.enabled=true", "nodes.printer.port=1"])
    desk.go(f"studies/print?study={uid}")
    desk.press("button[formaction='/console/studies/print/preview']")
    assert desk.chrome.execute_script("return document.querySelector('img.film').naturalHeight") == 700
    desk.press("form[action='/console/studies/print'] button.primary")
    assert desk.one(".notice.v-warn").is_displayed()
    assert "nothing listens on this port" in desk.text()
    with print_scp(tmp_path, "IHEFULL") as port:
        desk.modality.administration.config_set([f"nodes.printer.port={port}", "nodes.printer.ae_title=IHEFULL"])
        desk.go("status")
        desk.press("form[action='/console/status/retry'] button")
        assert desk.one(".notice.v-pass").is_displayed()
        assert "printed" in desk.text()
    assert desk.errors() == []


@pytest.mark.peer("chromium")
def test_medium_is_written_from_the_dialog(desk: Desk) -> None:
    desk.errors()
    uid = study(desk)
    desk.go(f"studies/media?study={uid}")
    desk.press("form[action='/console/studies/media'] button.primary")
    desk.wait(lambda chrome: "read back and compared" in chrome.find_element(By.ID, "live").text)
    assert desk.one("#live a[download]").get_attribute("href")
    assert desk.errors() == []


@pytest.mark.peer("dcmtk")
def test_objects_come_by_c_get(desk: Desk, tmp_path: Path) -> None:
    desk.errors()
    with programs.query_retrieve(tmp_path, desk.modality.listener.port) as port:
        desk.modality.administration.config_set(
            [f"nodes.{name}.{key}" for name in ("qr", "storage") for key in (f"port={port}", "ae_title=QRSCP")]
        )
        uid = study(desk, "GET1", "GET^ME")
        exam = desk.modality.examination.exams()[-1]["exam"]
        assert desk.modality.delivery.send(exam)["jobs"][0]["state"] == "done"
        desk.go("query")
        desk.press("button[name=preset][value=today]")
        assert "GET ME" in desk.text()
        before = len(desk.modality.studies.instances(uid))
        desk.press("button[value=get]")
        assert desk.one(".notice.v-pass").is_displayed()
        assert len(desk.modality.studies.instances(uid)) == before
    assert desk.errors() == []


@pytest.mark.peer("chromium")
def test_patient_is_added_and_examined_by_keyboard_alone(desk: Desk) -> None:
    desk.errors()
    desk.modality.administration.config_set(["end_exam.send=false", "nodes.mpps.enabled=false"])
    desk.go("registration")

    def keys(*wanted: str) -> None:
        webdriver.ActionChains(desk.chrome).send_keys(*wanted).perform()

    def reach(css: str) -> None:
        for _ in range(80):
            keys(Keys.TAB)
            if desk.chrome.execute_script("return document.activeElement.matches(arguments[0])", css):
                return
        raise AssertionError(f"{css} cannot be reached by Tab")

    def enter() -> None:
        mark = desk.chrome.find_element(By.TAG_NAME, "main")
        keys(Keys.ENTER)
        desk.wait(lambda _: gone(mark))

    form = "form[action='/console/registration/patient']"
    reach(f"{form} [name=patient_id]")
    keys("KEY1", Keys.TAB, "KEY^BOARD")
    enter()
    reach("form[action='/console/registration/start'] button")
    enter()
    for css in ("#ready", "#shot", "form[action='/console/acquisition/confirm'] button"):
        reach(css)
        enter()
    reach("form[action='/console/acquisition/end'] button")
    enter()
    last = desk.modality.examination.exams()[-1]
    assert (last["patient"]["id"], last["state"], len(last["objects"])) == ("KEY1", "ended", 1)
    assert desk.errors() == []


@pytest.mark.peer("chromium")
def test_status_is_live_by_a_stream_and_without_one_by_asking(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.errors()
    desk.go("status")
    desk.wait(lambda chrome: chrome.execute_script("return document.documentElement.dataset.live") == "stream")
    desk.modality.kernel.log(1, "room", "the door was opened")
    desk.modality.kernel.tell()
    desk.wait(lambda chrome: "the door was opened" in chrome.find_element(By.ID, "live").text)
    assert desk.errors() == []
    monkeypatch.setattr("harness.modality.console.live.MOST", 0)
    desk.go("status")
    desk.wait(lambda chrome: chrome.execute_script("return document.documentElement.dataset.live") == "polling")
    desk.modality.kernel.log(1, "room", "the door was closed")
    desk.wait(lambda chrome: "the door was closed" in chrome.find_element(By.ID, "live").text)
    assert any("503" in each for each in desk.errors())


@pytest.mark.peer("chromium")
def test_cancelled_exam_is_done_anew_on_the_right_entry(desk: Desk) -> None:
    desk.errors()
    desk.hospital.worklist = [
        entry("WRONG1", patient_id="W1", study="2.25.811"),
        entry("RIGHT1", patient_id="R1", name="RIGHT^ONE", study="2.25.812"),
    ]
    desk.modality.registration.worklist()
    key = desk.modality.registration.register(step_ids=["WRONG1"])["exam"]
    desk.modality.examination.start(key)
    desk.modality.examination.expose(key)
    desk.modality.examination.cancel(key, reason="110514")
    desk.go(f"acquisition?exam={key}")
    choice = desk.one("form[action='/console/acquisition/reassign'] select")
    next(each for each in choice.find_elements(By.TAG_NAME, "option") if "RIGHT ONE" in each.text).click()
    desk.press("form[action='/console/acquisition/reassign'] button")
    assert "RIGHT ONE" in desk.text()
    done = desk.modality.examination.exams()[-1]
    assert (done["patient"]["id"], done["mpps_status"], len(done["objects"])) == ("R1", "COMPLETED", 1)
    assert desk.errors() == []
