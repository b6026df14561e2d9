"""The modality as one object: opens its home directory, starts what runs in the background, closes all of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from harness.core.errors import HarnessError
from harness.modality import config
from harness.modality.behaviour import HEALTHY, Behaviour
from harness.modality.clock import Clock, SystemClock, Uids
from harness.modality.config import Configuration
from harness.modality.errors import StoreProblem
from harness.modality.listener import Listener
from harness.modality.secure import usable
from harness.modality.services.administration import Administration
from harness.modality.services.delivery import Delivery
from harness.modality.services.examination import Examination
from harness.modality.services.files import Files
from harness.modality.services.intake import Intake
from harness.modality.services.keeping import Keeping
from harness.modality.services.kernel import Kernel
from harness.modality.services.media import Media
from harness.modality.services.performed import PerformedSteps
from harness.modality.services.printing import Printing
from harness.modality.services.registration import Registration
from harness.modality.services.retrieval import Retrieval
from harness.modality.services.review import Review
from harness.modality.services.studies import Studies
from harness.modality.store import documents
from harness.modality.store.database import Database


class Modality:
    """The reference acquisition modality. Use as a context manager; `home` keeps all that must survive."""

    def __init__(
        self,
        home: Path,
        *,
        settings: Configuration | None = None,
        behaviour: Behaviour = HEALTHY,
        clock: Clock | None = None,
        seed: int | None = None,
        seeded: Sequence[Mapping[str, str]] = (),
    ) -> None:
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreProblem(f"{home}: cannot be made: {error.strerror}") from None
        database = Database(home / "modality.sqlite")
        try:
            settings = settings or _kept_settings(database)
        except HarnessError:
            database.close()
            raise
        self.kernel = Kernel(
            home=home,
            database=database,
            clock=clock or SystemClock(),
            uids=Uids(seed, lambda: database.next("uid")),
            behaviour=behaviour,
            settings=settings,
            seed=seed or 0,
            defects=tuple(dict(each) for each in seeded),
        )
        kernel = self.kernel
        self.registration = Registration(kernel)
        self.performed = PerformedSteps(kernel)
        self.delivery = Delivery(kernel)
        keeping = Keeping(kernel)
        self.examination = Examination(kernel, keeping, self.performed, self.delivery, self.registration)
        self.studies = Studies(kernel)
        self.review = Review(kernel, keeping, self.registration, self.examination)
        intake = Intake(kernel)
        self.retrieval = Retrieval(kernel, intake)
        self.printing = Printing(kernel, self.review)
        self.media = Media(kernel)
        self.files = Files(kernel, self.review, intake)
        self.administration = Administration(kernel)
        self.listener = Listener(
            self.delivery.reported,
            self.retrieval.received,
            reverse_role=behaviour.accepts_reverse_role(),
            watch=kernel.traffic.handlers(incoming=True),
            on_refused=self._refused,
        )
        kernel.listening_port = lambda: self.listener.port
        self.administration.on_settings = self._settings_changed
        self._worker: threading.Thread | None = None
        self._stopping = threading.Event()
        try:
            kernel.queue.recover()
        except HarnessError:
            database.close()
            raise

    # -- running -----------------------------------------------------------------------------------------------

    def open_to_others(self) -> None:
        """Prepare for being asked over the network: no places outside of the home, and all traffic is kept."""
        self.kernel.served = True
        self.kernel.traffic.keep(self.kernel.home / "traffic")

    def listen(self) -> int:
        """Open our DICOM port; return it."""
        tls = usable(self.kernel.settings.tls, self.kernel.home)
        return self.listener.start(self.kernel.settings.local, tls.server_context() if tls is not None else None)

    def _settings_changed(self, settings: Configuration) -> None:
        if self.listener.running:
            self.listen()

    def _refused(self, address: tuple[str, int], why: str) -> None:
        """A peer called us and TLS was not agreed; whoever looks for the reason finds it in log and traffic."""
        self.kernel.traffic.refused(address)
        with contextlib.suppress(HarnessError):  # the database is closing
            self.kernel.log(2, "tls", f"{address[0]}:{address[1]} called us: {why}")

    def work(self) -> None:
        """Start the background worker, which does queued jobs when they are due."""
        self._worker = threading.Thread(target=self._work, name="queue-worker", daemon=True)
        self._worker.start()

    def _work(self) -> None:
        queue = self.kernel.queue
        while not self._stopping.is_set():
            mark = queue.changed.mark()
            try:
                tried = queue.run_due()
                due = queue.next_due()
            except HarnessError as error:
                # A full disk must not end the background work for good; what was cut off is taken up again.
                with contextlib.suppress(HarnessError):
                    self.kernel.log(1, "background", str(error))
                self._stopping.wait(self.kernel.settings.background.retry_interval)
                continue
            wait = (due - self.kernel.clock.now()).total_seconds() if due else 3600.0
            if not tried and not self._stopping.is_set():
                # An hour at most, and a second at least while a job is held up by an earlier one.
                queue.changed.wait(mark, min(max(wait, 1.0), 3600.0))

    def close(self) -> None:
        """Stop the background work, close the port and the database."""
        self._stopping.set()
        self.kernel.queue.changed.set()
        self.listener.stop()
        if self._worker is not None:
            self._worker.join(60)
        self.kernel.traffic.close()
        self.kernel.database.close()

    def __enter__(self) -> Modality:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _kept_settings(database: Database) -> Configuration:
    found = database.scalar("SELECT value FROM Setting WHERE name = 'configuration'")
    return (
        config.from_mapping(documents.value(found, "settings"), source="modality.sqlite") if found else Configuration()
    )
