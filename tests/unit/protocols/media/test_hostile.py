"""Two hundred hostile media and more: judged, imported and shown in bounded time, nothing written elsewhere."""

from __future__ import annotations

import shutil
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.actors.media.importer import MediaImporter
from harness.core.errors import UsageError
from harness.protocols.media.secure import Keys
from harness.protocols.media.sources import open_medium
from harness.reporting.media_view import medium_html
from harness.validation.media import validate_medium
from tests.unit.protocols.media import hostile

SECONDS = 6.0
MEMORY = 300 << 20


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[hostile.Case]:
    sound = hostile.sound_image(tmp_path_factory.mktemp("sound"))
    return [
        *hostile.zip_cases(),
        *hostile.folder_cases(),
        *hostile.directory_cases(),
        *hostile.image_cases(sound),
        *hostile.page_cases(),
        *hostile.object_cases(),
    ]


def everything(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}


def read_all_ways(path: Path, store: Path) -> Iterator[str]:
    """Whoever reads media, each in turn; what they say."""
    yield from (finding.code for finding in validate_medium(path, objects=True))
    report = MediaImporter(store, keys=Keys("x")).load(path)
    yield from report.errors
    try:
        with open_medium(path) as medium:
            yield medium_html(medium)
    except UsageError as error:
        yield str(error)


def test_there_are_more_than_two_hundred(cases: list[hostile.Case]) -> None:
    assert len({name for name, _ in cases}) == len(cases) >= 200


@pytest.mark.parametrize("part", range(8))
def test_hostile_media_are_survived(part: int, cases: list[hostile.Case], tmp_path: Path) -> None:
    """In eight parts, so that they can run side by side."""
    for number, (name, make) in enumerate(cases[part::8]):
        work, store = tmp_path / f"case{number}", tmp_path / f"store{number}"
        work.mkdir()
        path = make(work)
        before = everything(tmp_path)
        start = time.process_time()
        said = list(read_all_ways(path, store))
        assert time.process_time() - start < SECONDS, name
        assert said, name
        written = everything(tmp_path) - before - {str(store)}
        assert all(Path(one).parent == store and one.endswith(".dcm") for one in written), name
        shutil.rmtree(work)


@pytest.mark.parametrize("name", ["zip bomb", "page with billion laughs", "DICOMDIR of a hundred thousand empty items"])
def test_memory_is_bounded(name: str, cases: list[hostile.Case], tmp_path: Path) -> None:
    path = dict(cases)[name](tmp_path)
    tracemalloc.start()
    list(read_all_ways(path, tmp_path / "store"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY


def test_a_secret_outside_is_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "SECRET"
    secret.write_text("the secret outside")
    medium = tmp_path / "m"
    (medium / "IHE_PDI").mkdir(parents=True)
    (medium / "DICOMDIR").write_bytes(hostile.directory())
    (medium / "README.TXT").symlink_to(secret)
    (medium / "INDEX.HTM").write_text(
        f'<!DOCTYPE a [<!ENTITY s SYSTEM "{secret}">]><html>&s;<a href="../SECRET"/></html>'
    )
    said = " ".join(read_all_ways(medium, tmp_path / "store"))
    assert "the secret" not in said
