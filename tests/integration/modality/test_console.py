"""The console in headless Chromium: an exam from the worklist to the committed study, the viewer, languages, widths."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from harness.modality.server import Server
from harness.modality.service import Modality
from tests.integration.modality import programs
from tests.integration.modality.hospital import Hospital, entry
from tests.peers import require_program

TABS = ("registration", "acquisition", "studies", "review", "query", "status", "config")
#: How far the page is wider than the window, and the controls that are smaller than a gloved finger.
MEASURE = """
  const controls = [...document.querySelectorAll('button, .button, nav a, input:not([type=hidden]), select')];
  const targets = controls.filter(each => each.checkVisibility())
    .map(each => each.matches('[type=checkbox], [type=radio]') ? each.closest('label') : each);
  const small = targets.filter(each => Math.min(each.offsetWidth, each.offsetHeight) < 44);
  const root = document.documentElement;
  return [root.scrollWidth - root.clientWidth, small.map(each => each.outerHTML.slice(0, 80))];
"""
SHOTS = os.environ.get("CONSOLE_SCREENSHOTS", "")


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = require_program("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(require_program("chromedriver")))
    try:
        driver.set_page_load_timeout(30)
        yield driver
    finally:
        driver.quit()


@dataclass
class Desk:
    """One modality with its console in a browser."""

    chrome: webdriver.Chrome
    modality: Modality
    server: Server
    hospital: Hospital

    def go(self, path: str) -> None:
        self.chrome.get(f"{self.server.url}/console/{path}")

    def wait(self, ready: Any) -> Any:
        return WebDriverWait(self.chrome, 20, poll_frequency=0.05).until(ready)

    def one(self, css: str) -> WebElement:
        found: WebElement = self.wait(lambda chrome: next(iter(chrome.find_elements(By.CSS_SELECTOR, css)), None))
        return found

    def press(self, css: str) -> None:
        """Press a button that leads to another page, and wait until that is there."""
        self.one(css)
        mark = self.chrome.find_element(By.TAG_NAME, "main")
        self.wait(lambda chrome: self._clicked(css))
        self.wait(lambda chrome: gone(mark))

    def _clicked(self, css: str) -> bool:
        """False if what was found was drawn anew before it could be clicked: live pages do that at any time."""
        try:
            button = self.one(css)
            self.chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
            button.click()
        except StaleElementReferenceException:
            return False
        return True

    def text(self) -> str:
        return self.one("main").text

    def size(self, width: int, height: int = 900) -> None:
        self.chrome.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def errors(self) -> list[str]:
        log: list[dict[str, str]] = self.chrome.get_log("browser")  # type: ignore[no-untyped-call]
        return [each["message"] for each in log if each["level"] in {"SEVERE", "WARNING"}]

    def picture(self, name: str) -> None:
        if SHOTS:
            whole = self.chrome.execute_script("return document.documentElement.scrollHeight")
            self.size(self.chrome.execute_script("return innerWidth"), min(int(whole), 3000))
            self.chrome.save_screenshot(str(Path(SHOTS) / f"{name}.png"))


def gone(element: WebElement) -> bool:
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    return False


@pytest.fixture(scope="module")
def desk(chrome: webdriver.Chrome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("console")
    hospital = Hospital(
        worklist=[entry(name="Hong^Gildong=洪^吉洞=홍^길동", sets=["ISO_IR 192"]), entry("SPS2", patient_id="")]
    )
    with hospital.open(), Modality(home, settings=hospital.settings(end_exam={"commit": True}), seed=1) as modality:
        server, ready = Server(modality, "127.0.0.1", 0), threading.Event()
        told: dict[str, Any] = {}

        def announce(values: dict[str, Any]) -> None:
            told.update(values)
            ready.set()

        thread = threading.Thread(target=server.run, args=(announce,))
        thread.start()
        try:
            assert ready.wait(30)
            hospital.modality = (told["ae_title"], "127.0.0.1", told["dicom_port"])
            made = Desk(chrome, modality, server, hospital)
            made.size(1280)
            chrome.get(told["console"])
            made.wait(lambda driver: driver.current_url.endswith("/console/registration"))
            yield made
        finally:
            server.stop()
            thread.join(30)


@pytest.mark.peer("chromium")
def test_exam_from_the_worklist_to_the_committed_study(desk: Desk) -> None:
    desk.errors()
    desk.go("registration")
    desk.one("input[name=date]").clear()
    desk.press("#refresh")
    assert "Connected" in desk.text()
    assert "홍 길동" in desk.text()
    desk.one("input[name=item]").click()
    desk.picture("registration")
    desk.press("form[action='/console/registration/choose'] button")
    assert "In progress" in desk.text()
    mas = desk.one("#mas")
    current = desk.one("input[name=tube_current]")
    current.clear()
    current.send_keys("250")
    desk.wait(lambda _: mas.text == "25.000")
    assert not desk.one("#shot").is_enabled()
    desk.press("#ready")
    desk.press("#shot")
    assert desk.chrome.execute_script("return document.querySelector('.preview img').naturalWidth") == 512
    desk.picture("acquisition")
    desk.press("form[action='/console/acquisition/confirm'] button")
    desk.press("#ready")
    desk.press("#shot")
    desk.press("form[action='/console/acquisition/reject'] button")
    desk.press("form[action='/console/acquisition/end'] button")
    with desk.hospital.seen:
        assert desk.hospital.seen.wait_for(lambda: 0 in desk.hospital.report_status, 30)
    desk.go("studies")
    assert "Committed" in desk.text()
    assert len(desk.hospital.stored) == 1
    final = desk.hospital.last("N-SET")
    assert final.PerformedProcedureStepStatus == "COMPLETED"
    stored = next(iter(desk.hospital.stored.values()))
    assert (int(stored.XRayTubeCurrent), str(stored.PatientName)) == (250, "Hong^Gildong=洪^吉洞=홍^길동")
    assert desk.errors() == []


def rendering(desk: Desk, **view: Any) -> Any:
    study = desk.modality.studies.studies()[0]["study_instance_uid"]
    image = desk.modality.studies.instances(study)[0]["sop_instance_uid"]
    dataset, _ = desk.modality.review.load(image)
    return desk.modality.review.picture(dataset, desk.modality.review.view(view, dataset), 512, 512)


def seen(desk: Desk) -> Any:
    """The pixels that Chromium shows in the active tile, by drawing them on a canvas."""
    script = """
      const done = arguments[0], image = document.querySelector('.tile[data-active] img');
      image.decode().then(() => {
        const canvas = document.createElement('canvas');
        canvas.width = canvas.height = 512;
        const pen = canvas.getContext('2d');
        pen.drawImage(image, 0, 0);
        const data = pen.getImageData(0, 0, 512, 512).data, grey = [];
        for (let at = 0; at < data.length; at += 4) grey.push(data[at]);
        let text = '';
        for (let at = 0; at < grey.length; at += 512) text += String.fromCharCode(...grey.slice(at, at + 512));
        done(btoa(text));
      });
    """
    raw = base64.b64decode(desk.chrome.execute_async_script(script))
    return np.frombuffer(raw, np.uint8).reshape(512, 512)


@pytest.mark.peer("chromium")
def test_viewer_shows_what_the_renderer_computes(desk: Desk) -> None:
    desk.errors()
    if not desk.modality.studies.studies():
        desk.modality.registration.register(patient_id="V")
        desk.modality.examination.start()
        desk.modality.examination.expose()
        desk.modality.examination.end()
    study = desk.modality.studies.studies()[0]["study_instance_uid"]
    desk.go(f"review?study={study}&layout=1x1")

    def value(name: str) -> float:
        return float(desk.one(f"#tools [name={name}]").get_property("value"))  # type: ignore[arg-type]

    def tool(press: str) -> None:
        desk.one("#tools [name=window_center]")
        mark = desk.chrome.find_element(By.ID, "viewer")
        desk.chrome.find_element(By.CSS_SELECTOR, f"#tools button[value={press}]").click()
        desk.wait(lambda _: gone(mark))

    assert np.array_equal(seen(desk), rendering(desk))
    for name, text in (("window_center", "1200"), ("window_width", "700")):
        box = desk.one(f"#tools [name={name}]")
        box.clear()
        box.send_keys(text)
    tool("apply")
    assert np.array_equal(seen(desk), rendering(desk, window_center=1200, window_width=700))
    window = {"window_center": 1200.0, "window_width": 700.0}
    for press, view in (
        ("flip_h", {"flip_h": True}), ("flip_v", {"flip_h": True, "flip_v": True}),
        ("rotate_right", {"flip_h": True, "flip_v": True, "rotate": 90}),
        ("zoom_in", {"flip_h": True, "flip_v": True, "rotate": 90, "zoom": 1.25}), ("reset", None),
    ):  # fmt: skip
        tool(press)
        assert np.array_equal(seen(desk), rendering(desk, **({**window, **view} if view is not None else {}))), press

    # A drag of the window: what the fields then say is what is shown.
    tile = desk.one(".tile[data-active] img")
    before = value("window_width")
    mark = desk.chrome.find_element(By.ID, "viewer")
    actions = webdriver.ActionChains(desk.chrome, duration=30)
    actions.move_to_element(tile).click_and_hold().move_by_offset(60, 20).release().perform()
    desk.wait(lambda _: gone(mark))
    assert value("window_width") > before
    wanted = {"window_center": value("window_center"), "window_width": value("window_width")}
    assert np.array_equal(seen(desk), rendering(desk, **wanted))

    # Two clicks measure a length: half the width of the picture, at the scale of the picture.
    desk.one("#tools input[value=length]").click()
    mark = desk.chrome.find_element(By.ID, "viewer")
    tile = desk.one(".tile[data-active] img")
    quarter = tile.size["width"] // 4
    for offset in (-quarter, quarter):
        webdriver.ActionChains(desk.chrome, duration=10).move_to_element_with_offset(tile, offset, 0).click().perform()
    desk.wait(lambda _: gone(mark))
    numbers = [float(each) for each in str(desk.one("#tools [name=length]").get_property("value")).split(",")]
    dataset, _ = desk.modality.review.load(desk.modality.studies.instances(study)[0]["sop_instance_uid"])
    assert abs(numbers[2] - numbers[0]) == pytest.approx(max(dataset.Rows, dataset.Columns) / 2, rel=0.02)
    assert numbers[1] == pytest.approx(numbers[3], abs=1)
    assert "Length" in desk.one(".tile[data-active] .br").text
    desk.picture("review")
    desk.press("form[action='/console/review/save'] button")
    assert "PR" in [row["modality"] for row in desk.modality.studies.instances(study)]
    assert desk.errors() == []


@pytest.mark.peer("chromium")
@pytest.mark.parametrize("language", ["en", "ko"])
def test_pages_fit_with_large_targets_in_both_languages(desk: Desk, language: str) -> None:
    desk.errors()
    desk.go("registration")
    if desk.one("html").get_attribute("lang") != language:
        desk.press(f"button[name=language][value={language}]")
    study = desk.modality.studies.studies()
    uid = study[0]["study_instance_uid"] if study else ""
    pages = (
        *TABS,
        f"studies?study={uid}",
        f"review?study={uid}",
        "acquisition?exam=1",
        f"studies/print?study={uid}",
        f"studies/media?study={uid}",
        "conformance",
    )
    for width in (1280, 800, 390):
        for page in pages if uid else TABS:
            desk.size(width)
            desk.go(page)
            assert desk.one("html").get_attribute("lang") == language
            assert (page, desk.chrome.execute_script(MEASURE)) == (page, [0, []])
            desk.picture(f"{language}-{width}-{page.split('?')[0].replace('/', '-')}{'-study' if '?' in page else ''}")
    desk.size(1280)
    assert desk.errors() == []


@pytest.mark.peer("chromium")
def test_tabs_can_be_reached_by_keyboard(desk: Desk) -> None:
    desk.go("status")
    reached = []
    for _ in range(8):
        webdriver.ActionChains(desk.chrome).send_keys("\ue004").perform()
        reached.append(desk.chrome.execute_script("return document.activeElement.getAttribute('href')"))
    assert reached == ["#main", *(f"/console/{tab}" for tab in TABS)]
    assert desk.chrome.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.peer("dcmtk")
def test_archive_is_queried_and_retrieved_from(desk: Desk, tmp_path: Path) -> None:
    desk.errors()
    desk.size(1280)
    with programs.query_retrieve(tmp_path, desk.modality.listener.port) as port:
        desk.go("config")
        for group in ("nodes.qr", "nodes.storage"):
            for name, text in (("ae_title", "QRSCP"), ("port", str(port))):
                box = desk.one(f"form:has([value='{group}']) [name={name}]")
                box.clear()
                box.send_keys(text)
            desk.press(f"form:has([value='{group}']) button")
        desk.press("#nodes-qr form[action='/console/config/verify'] button")
        assert desk.one("#nodes-qr .verified .v-pass").is_displayed()
        desk.modality.registration.register(patient_id="QR1", patient_name="QUERY^ME", study_instance_uid="1.2.3.77")
        key = desk.modality.examination.exams(active=True)[-1]["exam"]
        desk.modality.administration.config_set(["end_exam.commit=false"])
        desk.modality.examination.start(key)
        desk.modality.examination.expose(key)
        assert [job["state"] for job in desk.modality.examination.end(key)["jobs"]] == ["done"] * 2
        desk.go("query")
        desk.one("input[name=patient_id]").send_keys("QR1")
        desk.press("form[action='/console/query/find'] button")
        assert "QUERY ME" in desk.text()
        desk.press("button[value=move]")
        assert desk.one(".notice.v-pass").is_displayed()
        desk.picture("query")
    assert desk.errors() == []
