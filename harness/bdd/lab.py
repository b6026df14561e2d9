"""The lab of a run: simulated actors, the product (started if its file says how), and the driver that asks it."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.actors.actor import SimulatedActor
from harness.actors.image_display import ImageDisplay, ImageDisplayBehaviour
from harness.actors.image_manager import ImageManager
from harness.actors.image_manager_behaviour import ImageManagerBehaviour
from harness.bdd import introduction, placeholders
from harness.bdd.cast import Cast
from harness.bdd.hospital import Hospital
from harness.bdd.operator import TerminalOperator
from harness.bdd.refusals import ClassRefusals, DeliveryFaults, Refusals
from harness.bdd.settings import RunSettings
from harness.bdd.studies import StudyLibrary
from harness.bdd.tls import tls_settings
from harness.core.check import Declaration
from harness.core.errors import ConfigurationError, EnvironmentFailure
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom import pcapng
from harness.protocols.dicom.capture import Capture
from harness.protocols.dicom.errors import TlsNotAgreed
from harness.protocols.dicom.node import Address, Timeouts
from harness.protocols.dicom.sockets import greet
from harness.protocols.dicom.tls import TlsSettings
from harness.reporting.evidence import EvidenceStore
from harness.sut.actions import SutDriver
from harness.sut.config import DicomEndpoint, ProcessTable, SutFile, load_sut
from harness.sut.drivers import make_driver
from harness.sut.drivers.replay import ReplayDriver
from harness.sut.process import ManagedProcess, fill

#: bytes of traffic kept as they were on the wire; messages are kept beyond it
_CAPTURE_LIMIT = 2 << 30
#: drivers of products that learn our AE titles from us, as those do that we start
_KNOWN_BY_FILE = ("reference", "replay")


class Lab(Cast):
    """The simulated actors and the product, one lab per process.

    :meth:`start` brings everything up, :meth:`stop` leaves nothing behind.
    """

    def __init__(
        self,
        settings: RunSettings,
        aside: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
    ) -> None:
        super().__init__(Recorder(Transcript()))
        self.settings = settings
        self.sut = self.read_sut(settings)
        self.declaration: Declaration = self.sut.declaration()
        self.evidence = EvidenceStore(Path(settings.out))
        self.today = datetime.date.today()
        self.source = random.Random(f"{settings.run_id} {os.environ.get('PYTEST_XDIST_WORKER', '')}")
        self.refusals = Refusals()
        self.display_refusals = ClassRefusals()
        self.delivery_faults = DeliveryFaults()
        self.studies = StudyLibrary(self.source)
        #: the studies of the library that were stored into the product to be queried
        self.archived: set[str] = set()
        #: what a person should know before the first scenario
        self.remarks: list[str] = []
        self._stack = contextlib.ExitStack()
        self._driver: SutDriver | None = None
        self._address: Address | None = None
        self._capture: Capture | None = None
        self._process: ManagedProcess | None = None
        self._hospital: Hospital | None = None
        self._operator = TerminalOperator(aside)

    @staticmethod
    def read_sut(settings: RunSettings) -> SutFile:
        """The SUT file of the run, with the defects that the command line seeds."""
        sut = load_sut(Path(settings.sut))
        if settings.defects or settings.variants:
            driver = sut.driver.model_copy(
                update={
                    "defects": [*sut.driver.defects, *settings.defects],
                    "variants": [*sut.driver.variants, *settings.variants],
                }
            )
            sut = sut.model_copy(update={"driver": driver})
        return sut

    def tls_for(self, protocol: str) -> TlsSettings | None:
        """What ``[tls]`` says of ``dicom`` or ``hl7``, None for plain TCP.

        Raises ConfigurationError for files that cannot be used.
        """
        table = self.sut.tls
        if table is None or not (table.hl7 if protocol == "hl7" else table.dicom):
            return None
        return tls_settings(table, Path(self.settings.sut))

    # -- coming up and going down --------------------------------------------------------------------------------

    def start(self, *, introduce: bool = True) -> None:
        """Start actors, product and driver, and see whether the product knows the actors by their AE titles.

        Raises EnvironmentFailure naming what is in the way.
        """
        with self._cleanly():
            work = self._work_folder()
            self._start_capture()
            self._start_actors()
            self._start_hospital()
            path = Path(self.settings.sut)
            self.sut = placeholders.with_ports(self.sut)
            values = placeholders.values(self.sut, path, work, self._actors, self._hospital)
            if self.sut.process is not None:
                table = self._with_defects(self.sut.process)
                self._process = self._stack.enter_context(ManagedProcess(table, values, work))
            driver = make_driver(self.sut, path, values, self._operator, work)
            self._stack.callback(driver.close)
            self._driver = driver
            self._meet(driver)
            if introduce and self.callable and self.sut.process is None and self.sut.driver.kind not in _KNOWN_BY_FILE:
                self.remarks = introduction.remarks(self)

    def stop(self) -> None:
        """Stop everything, in reverse order; a second call does nothing."""
        self._stack.close()

    @contextlib.contextmanager
    def _cleanly(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._stack.close()
            raise

    def _work_folder(self) -> Path:
        work = Path(self.settings.out) / "work" / os.environ.get("PYTEST_XDIST_WORKER", "main")
        work.mkdir(parents=True, exist_ok=True)
        return work

    def _start_capture(self) -> None:
        """Every byte of the run goes to ``wire/``; a pcapng for Wireshark is written from it at the end."""
        folder = self.evidence.wire / os.environ.get("PYTEST_XDIST_WORKER", "main")
        self._capture = Capture(folder, limit=_CAPTURE_LIMIT)
        self._stack.callback(self._finish_capture, folder)

    def _finish_capture(self, folder: Path) -> None:
        if self._capture is not None:
            self._capture.close()
            pcapng.write(folder, folder.with_suffix(".pcapng"))

    def _start_actors(self) -> None:
        archive = ImageManagerBehaviour(store_status=self.refusals.status, delivers=self.delivery_faults.delivers)
        display = ImageDisplayBehaviour(store_status=self.display_refusals.status)
        behaviours: dict[type[SimulatedActor], object] = {ImageManager: archive, ImageDisplay: display}
        self._start_cast(self.sut.harness, self._stack, self.equip, behaviours)

    def equip(self, actor: SimulatedActor) -> None:
        """Have an actor speak TLS and wait as the SUT file says, and every byte captured; before it starts."""
        seconds = self.sut.timeouts
        actor.node.patience(Timeouts(connect=seconds.connect, associate=seconds.associate, dimse=seconds.dimse))
        actor.node.tap(self._capture)
        actor.node.protect(self.tls_for("dicom"))

    def _start_hospital(self) -> None:
        """The HL7 side of our actors, for products whose file has a table for HL7."""
        if self.sut.hl7 is not None:
            tls = self.tls_for("hl7")
            self._hospital = Hospital(self.recorder, self.sut, self.source, self.image_manager, self._capture, tls)
            self._hospital.start(self._stack)
            # orders that a product places with us are on our worklist
            self.order_filler.worklist.book = self._hospital.book

    def _with_defects(self, table: ProcessTable) -> ProcessTable:
        extra = [fill(part, {"defect": d}) for d in self.sut.driver.defects for part in table.defect_argv]
        return table.model_copy(update={"argv": [*table.argv, *extra]})

    def _meet(self, driver: SutDriver) -> None:
        """Learn where the product listens, tell the actors, and see that it answers at all."""
        if self._hospital is not None and self.sut.hl7 is not None and self.sut.hl7.port:
            self._hospital.meet(self.sut.hl7.host, self.sut.hl7.port)
            if self.sut.process is None:  # one that we started has a probe of its own
                self._require_answer("hl7", self.sut.hl7.host, self.sut.hl7.port)
        endpoint: DicomEndpoint | None = getattr(driver, "endpoint", None) or self.sut.dicom
        if endpoint is None or not endpoint.port:
            return
        self._require_other_titles(endpoint.ae_title)
        self._address = Address(endpoint.ae_title, endpoint.host, endpoint.port)
        for actor in self._actors.values():
            actor.know(self._address)
            for title in endpoint.calling_ae_titles:
                actor.know(Address(title, endpoint.host, endpoint.port))
        self._require_answer("dicom", endpoint.host, endpoint.port)

    def _require_other_titles(self, title: str) -> None:
        """Raises ConfigurationError for a title that one of our actors has: nobody could tell the two apart."""
        same = next((actor for actor in self._actors.values() if actor.ae_title == title), None)
        if same is not None:
            problem = f"{title} is the AE title of our {same.name}; give it another under [harness.actors.{same.slug}]"
            raise ConfigurationError(self.settings.sut, "[dicom], key ae_title", problem)

    def _require_answer(self, protocol: str, host: str, port: int) -> None:
        """Raises EnvironmentFailure if nobody listens there, or not with TLS as the SUT file has it."""
        name, what = self.sut.product.name, "for HL7 " if protocol == "hl7" else ""
        try:
            greet(host, port, self.sut.timeouts.connect, self.tls_for(protocol))
        except TlsNotAgreed as error:
            raise EnvironmentFailure(f"{name}: {error}; see [tls] in {self.settings.sut}") from None
        except OSError as error:
            raise EnvironmentFailure(
                f"{name} does not answer {what}on {host}:{port} ({error}); is it running? "
                "`ihe-harness doctor --sut FILE` shows what to configure"
            ) from None

    # -- what steps use ------------------------------------------------------------------------------------------

    @property
    def driver(self) -> SutDriver:
        """The driver; the lab has been started."""
        assert self._driver is not None
        return self._driver

    @property
    def attended(self) -> bool:
        """Whether a person operates the product."""
        return self.sut.driver.kind == "manual"

    def action_timeout(self, action: str) -> float:
        """Seconds that an action may take: longer where a person does it, also for want of a command."""
        driver = self.sut.driver
        by_hand = driver.kind == "manual" or (driver.kind in ("command", "http") and action not in driver.actions)
        return self.sut.timeouts.operator if by_hand else self.sut.timeouts.action

    @property
    def product(self) -> Address:
        """Where the product listens for DICOM. Raises EnvironmentFailure if its file does not say."""
        if self._address is None:
            raise EnvironmentFailure(f"{self.settings.sut}: [dicom] needs a port: the product has to be called")
        return self._address

    @property
    def callable(self) -> bool:
        """Whether the product can be called at all."""
        return self._address is not None

    def hl7_endpoints(self) -> list[tuple[str, str, str, int]]:
        """Actor, application, facility and port of every simulated actor that speaks HL7; none without ``[hl7]``."""
        ends = self._hospital.endpoints.values() if self._hospital is not None else ()
        return [(end.actor, end.application.name, end.application.facility, end.port) for end in ends]

    @property
    def moving(self) -> bool:
        """Whether our ports are other ones in each run, although a product that we do not start has to know them."""
        fixed = self.sut.harness.actors.values()
        return self.sut.process is None and self.sut.driver.kind != "reference" and not any(e.port for e in fixed)

    @property
    def station(self) -> str:
        """The AE title that worklist entries are scheduled for."""
        endpoint: DicomEndpoint | None = getattr(self._driver, "endpoint", None) or self.sut.dicom
        return endpoint.ae_title if endpoint is not None else "SUT"

    def forget_product_at_archive(self) -> str:
        """Our archive knows no address of the product until the next scenario; its AE title."""
        title = self.product.ae_title
        self.image_manager.peers.pop(title, None)
        return title

    @property
    def hospital(self) -> Hospital:
        """The HL7 side of our actors. Raises EnvironmentFailure if the product's file says nothing of HL7."""
        if self._hospital is None:
            raise EnvironmentFailure(f"{self.settings.sut}: HL7 scenarios need a table [hl7]; a port of 0 is allowed")
        return self._hospital

    # -- scenarios -------------------------------------------------------------------------------------------------

    def begin(self, scenario: str) -> Transcript:
        """A fresh transcript and actors without memory of earlier scenarios."""
        if self._hospital is not None:
            # what is still on its way belongs to the scenario before
            self._hospital.reset()
        transcript = Transcript()
        self.recorder.turn_to(transcript)
        self.refusals.clear()
        self.display_refusals.clear()
        self.delivery_faults.clear()
        for name in tuple(self._away):
            self.bring_back(name)
        if self._address is not None:
            self.image_manager.know(self._address)
        for actor in self._actors.values():
            actor.reset()
        if isinstance(self._driver, ReplayDriver):
            self._driver.begin(scenario, self.recorder)
        return transcript

    def store(self, scenario: str, transcript: Transcript) -> str:
        """Keep the evidence; returns its path below the run folder."""
        return self.evidence.store_transcript(scenario, transcript)
