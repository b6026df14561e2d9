"""The upper layer state machine of PS3.8 section 9.2 as data: states, events, actions and table 9-10."""

from __future__ import annotations

import enum


class State(enum.IntEnum):
    """PS3.8 tables 9-1 to 9-5."""

    IDLE = 1
    TRANSPORT_OPEN = 2
    AWAITING_LOCAL_ASSOCIATE = 3
    AWAITING_TRANSPORT = 4
    AWAITING_ASSOCIATE_ANSWER = 5
    ESTABLISHED = 6
    AWAITING_RELEASE_ANSWER = 7
    AWAITING_LOCAL_RELEASE = 8
    COLLISION_REQUESTOR_LOCAL = 9
    COLLISION_ACCEPTOR_PEER = 10
    COLLISION_REQUESTOR_PEER = 11
    COLLISION_ACCEPTOR_LOCAL = 12
    AWAITING_CLOSE = 13


class Event(enum.IntEnum):
    """The rows of table 9-10, by the number in Evt1 to Evt19."""

    ASSOCIATE_REQUEST = 1
    TRANSPORT_CONFIRMED = 2
    ASSOCIATE_AC_PDU = 3
    ASSOCIATE_RJ_PDU = 4
    TRANSPORT_INDICATED = 5
    ASSOCIATE_RQ_PDU = 6
    ACCEPT = 7
    REJECT = 8
    P_DATA_REQUEST = 9
    P_DATA_PDU = 10
    RELEASE_REQUEST = 11
    RELEASE_RQ_PDU = 12
    RELEASE_RP_PDU = 13
    RELEASE_RESPONSE = 14
    ABORT_REQUEST = 15
    ABORT_PDU = 16
    TRANSPORT_CLOSED = 17
    ARTIM_EXPIRED = 18
    INVALID_PDU = 19


class Effect(enum.Enum):
    """What an action does, besides the new state."""

    CONNECT = enum.auto()
    SEND_RQ = enum.auto()
    SEND_AC = enum.auto()
    SEND_RJ = enum.auto()
    SEND_DATA = enum.auto()
    SEND_RELEASE_RQ = enum.auto()
    SEND_RELEASE_RP = enum.auto()
    SEND_ABORT_USER = enum.auto()
    SEND_ABORT_PROVIDER = enum.auto()
    INDICATE_ASSOCIATE = enum.auto()
    CONFIRM_ACCEPTED = enum.auto()
    CONFIRM_REJECTED = enum.auto()
    INDICATE_DATA = enum.auto()
    INDICATE_RELEASE = enum.auto()
    INDICATE_COLLISION = enum.auto()
    CONFIRM_RELEASE = enum.auto()
    INDICATE_ABORT = enum.auto()
    INDICATE_PROVIDER_ABORT = enum.auto()
    START_ARTIM = enum.auto()
    STOP_ARTIM = enum.auto()
    CLOSE = enum.auto()


_E = Effect
ACTIONS: dict[str, tuple[Effect, ...]] = {
    "AE-1": (_E.CONNECT,),
    "AE-2": (_E.SEND_RQ,),
    "AE-3": (_E.CONFIRM_ACCEPTED,),
    "AE-4": (_E.CONFIRM_REJECTED, _E.CLOSE),
    "AE-5": (_E.START_ARTIM,),
    "AE-6": (_E.STOP_ARTIM, _E.INDICATE_ASSOCIATE),  # or, refused by the service provider: AE-8 with the reason
    "AE-7": (_E.SEND_AC,),
    "AE-8": (_E.SEND_RJ, _E.START_ARTIM),
    "DT-1": (_E.SEND_DATA,),
    "DT-2": (_E.INDICATE_DATA,),
    "AR-1": (_E.SEND_RELEASE_RQ,),
    "AR-2": (_E.INDICATE_RELEASE,),
    "AR-3": (_E.CONFIRM_RELEASE, _E.CLOSE),
    "AR-4": (_E.SEND_RELEASE_RP, _E.START_ARTIM),
    "AR-5": (_E.STOP_ARTIM,),
    "AR-6": (_E.INDICATE_DATA,),
    "AR-7": (_E.SEND_DATA,),
    "AR-8": (_E.INDICATE_COLLISION,),
    "AR-9": (_E.SEND_RELEASE_RP,),
    "AR-10": (_E.CONFIRM_RELEASE,),
    "AA-1": (_E.SEND_ABORT_USER, _E.START_ARTIM),
    "AA-2": (_E.STOP_ARTIM, _E.CLOSE),
    "AA-3": (_E.INDICATE_ABORT, _E.CLOSE),
    "AA-4": (_E.INDICATE_PROVIDER_ABORT,),
    "AA-5": (_E.STOP_ARTIM,),
    "AA-6": (),
    "AA-7": (_E.SEND_ABORT_PROVIDER,),
    "AA-8": (_E.SEND_ABORT_PROVIDER, _E.INDICATE_PROVIDER_ABORT, _E.START_ARTIM),
}
"""PS3.8 tables 9-6 to 9-9."""

# One row for each event, one column for Sta1 to Sta13; "action>next state", "." where the event cannot happen. In
# AR-8 the next state depends on who asked for the association: Sta9 for the requestor, Sta10 for the acceptor.
_TABLE = """
 1 AE-1>4 .       .       .      .       .       .       .          .       .        .       .       .
 2 .      .       .       AE-2>5 .       .       .       .          .       .        .       .       .
 3 .      AA-1>13 AA-8>13 .      AE-3>6  AA-8>13 AA-8>13 AA-8>13    AA-8>13 AA-8>13  AA-8>13 AA-8>13 AA-6>13
 4 .      AA-1>13 AA-8>13 .      AE-4>1  AA-8>13 AA-8>13 AA-8>13    AA-8>13 AA-8>13  AA-8>13 AA-8>13 AA-6>13
 5 AE-5>2 .       .       .      .       .       .       .          .       .        .       .       .
 6 .      AE-6>3  AA-8>13 .      AA-8>13 AA-8>13 AA-8>13 AA-8>13    AA-8>13 AA-8>13  AA-8>13 AA-8>13 AA-7>13
 7 .      .       AE-7>6  .      .       .       .       .          .       .        .       .       .
 8 .      .       AE-8>13 .      .       .       .       .          .       .        .       .       .
 9 .      .       .       .      .       DT-1>6  .       AR-7>8     .       .        .       .       .
10 .      AA-1>13 AA-8>13 .      AA-8>13 DT-2>6  AR-6>7  AA-8>13    AA-8>13 AA-8>13  AA-8>13 AA-8>13 AA-6>13
11 .      .       .       .      .       AR-1>7  .       .          .       .        .       .       .
12 .      AA-1>13 AA-8>13 .      AA-8>13 AR-2>8  AR-8>9  AA-8>13    AA-8>13 AA-8>13  AA-8>13 AA-8>13 AA-6>13
13 .      AA-1>13 AA-8>13 .      AA-8>13 AA-8>13 AR-3>1  AA-8>13    AA-8>13 AR-10>12 AR-3>1  AA-8>13 AA-6>13
14 .      .       .       .      .       .       .       AR-4>13    AR-9>11 .        .       AR-4>13 .
15 .      .       AA-1>13 AA-2>1 AA-1>13 AA-1>13 AA-1>13 AA-1>13    AA-1>13 AA-1>13  AA-1>13 AA-1>13 .
16 .      AA-2>1  AA-3>1  .      AA-3>1  AA-3>1  AA-3>1  AA-3>1     AA-3>1  AA-3>1   AA-3>1  AA-3>1  AA-2>1
17 .      AA-5>1  AA-4>1  AA-4>1 AA-4>1  AA-4>1  AA-4>1  AA-4>1     AA-4>1  AA-4>1   AA-4>1  AA-4>1  AR-5>1
18 .      AA-2>1  .       .      .       .       .       .          .       .        .       .       AA-2>1
19 .      AA-1>13 AA-8>13 .      AA-8>13 AA-8>13 AA-8>13 AA-8>13    AA-8>13 AA-8>13  AA-8>13 AA-8>13 AA-7>13
"""


def _parse(table: str) -> dict[tuple[Event, State], tuple[str, State]]:
    result: dict[tuple[Event, State], tuple[str, State]] = {}
    for line in table.strip().splitlines():
        number, *cells = line.split()
        for column, cell in enumerate(cells, start=1):
            if cell != ".":
                action, _, state = cell.partition(">")
                result[Event(int(number)), State(column)] = (action, State(int(state)))
    return result


TRANSITIONS = _parse(_TABLE)
"""(event, state) -> (action, next state); what is not there cannot happen or is a programming error."""
