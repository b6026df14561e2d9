"""The media of a scenario, for the report of a run: rebuilt from the evidence, shown as a person wants to see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from harness.core.errors import HarnessError
from harness.core.transcript import Transcript
from harness.profiles.pdi import facts
from harness.reporting.media_view import Browser, medium_html

_MEDIA: Final = 3
_BYTES: Final = 256 << 20
_THUMBNAILS: Final = 8
#: pages that are shown as pictures in one report
SCREENSHOTS: Final = 3


@dataclass(frozen=True, slots=True)
class MediumSection:
    """One medium: its name, whether the product made it, and what it holds as a piece of HTML."""

    name: str
    from_sut: bool
    html: Markup


def at_most(browser: Browser, number: int) -> Browser:
    """A browser that shows so many pages and nothing after: each takes a second or two."""
    left = iter(range(number))
    return lambda folder, page: browser(folder, page) if next(left, None) is not None else b""


def media_sections(transcript: Transcript, browser: Browser | None = None) -> tuple[MediumSection, ...]:
    """The first media of a transcript. Evidence may come from elsewhere: what cannot be rebuilt says so."""
    found = []
    for fact in transcript.facts_of(facts.MEDIUM)[:_MEDIA]:
        data = dict(fact.data)
        ours = data.get("made_by", "sut") != "sut"
        messages = [m for m in transcript.messages if m.kind == facts.FILE and m.fields.get("medium") == data.get("id")]
        size = sum(message.payload.size for message in messages)
        try:
            if size > _BYTES:
                html = Markup("<p>{} bytes are too many to be shown here; they are in the evidence.</p>").format(size)
            else:
                medium = facts.rebuilt(transcript, data).medium
                html = Markup(medium_html(medium, browser, style=False, thumbnails=_THUMBNAILS))
        except (HarnessError, OSError, ValueError, TypeError) as error:
            html = Markup("<p>The medium cannot be shown: {}</p>").format(error)
        found.append(MediumSection(str(data.get("name", "medium"))[:80], not ours, html))
    return tuple(found)
