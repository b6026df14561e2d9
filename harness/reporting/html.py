"""The run report: one self-contained page without scripts or network, safe under a strict content security policy."""

from __future__ import annotations

import base64
import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.core.result import RunResult
from harness.core.spec import Requirement, Transaction
from harness.core.verdict import Verdict
from harness.reporting import words
from harness.reporting.build import build_view
from harness.reporting.decode import visible
from harness.reporting.ladder import clipped
from harness.reporting.media_view import STYLE, Browser
from harness.reporting.totals import natural
from harness.reporting.trace import CellState
from harness.reporting.view import css_class, filter_class

FILTERS = (
    ("all", "All"),
    ("fail", "Broken"),
    ("warn", "Warnings"),
    ("inc", "Not judged"),
    ("pass", "Passed"),
    ("na", "Not applicable"),
)


def render_html(
    run: RunResult,
    folder: Path | None,
    requirements: Mapping[str, Requirement],
    transactions: Mapping[str, Transaction],
    prefix: str = "",
    browser: Browser | None = None,
) -> str:
    """The page of a run.

    ``folder`` holds the evidence (None: findings only), ``prefix`` leads from the page to that folder
    (``"../run/"``; empty when the page lies in it). ``browser`` shows the first pages of media as pictures.
    """
    environment = Environment(
        loader=PackageLoader("harness.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        visible=visible, clipped=clipped, duration=words.duration, moment=words.moment, cls=css_class
    )
    environment.filters.update(filter_cls=filter_class, in_order=lambda names: sorted(names, key=natural))
    environment.globals.update(
        plural=words.plural, own_reason=words.own_reason, Verdict=Verdict, CellState=CellState, FILTERS=FILTERS
    )
    assert environment.loader is not None
    style = environment.loader.get_source(environment, "style.css")[0].strip() + STYLE
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pydicom says of a product's bytes belongs to checks, not to a rendering
        view = build_view(run, folder, requirements, transactions, prefix, browser)
    return environment.get_template("report.html.j2").render(
        view=view,
        run=run,
        style=Markup(style),
        csp=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'",
        product=words.sut_name(run.sut),
        claims=words.claims(run.sut),
        printed={"ids": []},
        headline=words.headline(run),
        headline_verdict=words.headline_verdict(run),
    )
