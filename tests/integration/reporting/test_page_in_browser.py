"""The report in a real browser: nothing overflows, and the filter works without scripts."""

from __future__ import annotations

import functools
import http.server
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from harness.reporting.html import render_html
from tests.peers import require_program
from tests.unit.reporting import builders

WIDTHS = (400, 768, 1280)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--dump-dom",
)
#: A page of the test that holds the report in frames and measures it; the report itself has no scripts.
PROBE = """<!doctype html><meta charset="utf-8"><body>
FRAMES
<pre id="out"></pre><script>
onload = () => {
  const seen = {widths: {}, filters: {}};
  for (const frame of document.querySelectorAll('iframe')) {
    const page = frame.contentDocument, root = page.documentElement;
    for (const details of page.querySelectorAll('details')) details.open = true;
    const wide = [...page.querySelectorAll('main *')].filter(node =>
      node.getBoundingClientRect().right > root.clientWidth + 1 && !node.closest('.wrap, .cmd'));
    const names = wide.map(node => node.className || node.tagName);
    seen.widths[frame.width] = {page: root.scrollWidth, room: root.clientWidth, wide: names};
    seen.background = frame.contentWindow.getComputedStyle(page.querySelector('.banner')).backgroundColor;
    for (const name of ['all', 'fail', 'warn', 'inc', 'pass', 'na']) {
      page.getElementById('f-' + name).checked = true;
      seen.filters[name] = [...page.querySelectorAll('.scn')].filter(n => n.offsetParent !== null).length;
    }
  }
  document.getElementById('out').textContent = JSON.stringify(seen);
};
</script>"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.peer("chromium")
def test_page_fits_and_filters(tmp_path: Path, address: str) -> None:
    browser = require_program("chromium")
    run = builders.build_run(tmp_path)
    page = render_html(run, tmp_path, builders.REQUIREMENTS, builders.TRANSACTIONS)
    (tmp_path / "report.html").write_text(page)
    frames = "".join(f'<iframe src="report.html" width="{width}" height="900"></iframe>' for width in WIDTHS)
    (tmp_path / "probe.html").write_text(PROBE.replace("FRAMES", frames))
    done = subprocess.run(
        [browser, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"{address}/probe.html"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = re.search(r'<pre id="out">(.+?)</pre>', done.stdout, re.S)
    assert found, "the browser did not finish the measurement"
    seen = json.loads(unescape(found[1]))
    for width in WIDTHS:
        measured = seen["widths"][str(width)]
        assert measured["page"] <= measured["room"], f"the page is wider than {width} px"
        assert measured["wide"] == [], f"sticks out at {width} px"
    assert seen["background"] != "rgba(0, 0, 0, 0)", "the policy lets the style through"
    assert seen["filters"] == {"all": 6, "fail": 1, "warn": 1, "inc": 2, "pass": 1, "na": 1}
