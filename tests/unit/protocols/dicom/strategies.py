"""What Hypothesis makes of PDUs and commands."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from harness.protocols.dicom import command, items, pdu

uids = st.lists(st.integers(0, 10**7), min_size=2, max_size=6).map(lambda parts: ".".join(map(str, parts)))
names = st.text(st.sampled_from([chr(code) for code in range(33, 127)]), min_size=1, max_size=16)
titles = names.map(pdu.ae_bytes)
small = st.binary(max_size=40)
words = st.integers(0, 0xFFFF)
octets = st.integers(0, 255)

user_items = st.one_of(
    st.builds(items.MaximumLength, st.integers(0, 0xFFFFFFFF)),
    st.builds(items.ImplementationClass, uids),
    st.builds(items.AsynchronousOperations, words, words),
    st.builds(items.RoleSelection, uids, st.booleans(), st.booleans()),
    st.builds(items.ImplementationVersion, names),
    st.builds(items.ExtendedNegotiation, uids, small),
    st.builds(items.CommonExtendedNegotiation, uids, uids, st.lists(uids, max_size=3).map(tuple)),
    st.builds(items.UserIdentity, octets, st.booleans(), small, small),
    st.builds(items.UserIdentityResponse, small),
    st.builds(items.UnknownItem, st.integers(0x5A, 0xFF), small),
)
unknown_items = st.lists(st.builds(items.UnknownItem, st.integers(0x60, 0xFF), small), max_size=2).map(tuple)
proposed = st.builds(items.ProposedContext, octets, uids, st.lists(uids, max_size=4).map(tuple))
results = st.builds(items.ContextResult, octets, octets, uids)

requests = st.builds(
    pdu.AssociateRQ,
    titles,
    titles,
    st.lists(proposed, max_size=5).map(tuple),
    st.lists(user_items, max_size=6).map(tuple),
    uids,
    words,
    st.binary(min_size=32, max_size=32),
    unknown_items,
)
answers = st.builds(
    pdu.AssociateAC,
    titles,
    titles,
    st.lists(results, max_size=5).map(tuple),
    st.lists(user_items, max_size=6).map(tuple),
    uids,
    words,
    st.binary(min_size=32, max_size=32),
    unknown_items,
)
control_pdus = st.one_of(
    requests,
    answers,
    st.builds(pdu.AssociateRJ, octets, octets, octets),
    st.just(pdu.ReleaseRQ()),
    st.just(pdu.ReleaseRP()),
    st.builds(pdu.Abort, octets, octets),
)
values = st.builds(pdu.PDV, octets, st.booleans(), st.booleans(), st.binary(max_size=60))
data_pdus = st.builds(pdu.PData, st.lists(values, min_size=1, max_size=4).map(tuple))

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "US": words,
    "UI": uids,
    "AE": names,
    "LO": names,
    "AT": st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=3),
}
commands = st.fixed_dictionaries(
    {"CommandField": words, "CommandDataSetType": words},
    optional={
        keyword: _VALUES[vr]
        for _, keyword, vr in command.ELEMENTS
        if keyword not in ("CommandGroupLength", "CommandField", "CommandDataSetType")
    },
)
