"""What a server sends fells nothing: time and memory stay bounded, and what no client may be sent is a finding."""

import gzip
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import hostile_servers as hostile
import pytest
from hostile_servers import head, of, served, set_up, whole
from judging import KEY, KEY_ENV, judge

from contract_tests.cases.case import RequestCase
from contract_tests.coverage import Coverage
from contract_tests.http.redaction import Secrets
from contract_tests.openapi.document import Contract, Operation
from contract_tests.registry import reporting_rules
from contract_tests.rules import NotExercised, Unanswered, Violation
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.recorder import Recorder
from contract_tests.server.transport import Wire
from contract_tests.server.undocumented import UndocumentedData
from contract_tests.targets import Target

TELLS = {
    "a body of 100 MB": "a body of more than 1,000,000 bytes",
    "an endless body": "a body of more than 1,000,000 bytes",
    "a trickling body": "no complete reply within 0.3 seconds",
    "a trickling body without length": "no complete reply within 0.3 seconds",
    "endless headers": "no complete reply: RemoteProtocolError",
    "trickling headers": "no complete reply within 0.3 seconds",
    "endless interim replies": "no complete reply within 0.3 seconds",
    "a gzip bomb": "a body of more than 1,000,000 bytes",
    "a bomb in a bomb": "a body of more than 1,000,000 bytes",
    "a lie about gzip": "the body is not the gzip that Content-Encoding announces",
    "no HTTP": "no complete reply: RemoteProtocolError",
}


class Seen:
    """Takes down what a wire shows."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []

    def saw(self, exchange: Exchange) -> None:
        """Nothing is judged here."""

    def missed(self, operation: Operation, violation: Violation) -> None:  # noqa: ARG002
        """Keep it."""
        self.violations.append(violation)

    def turned_away(self, reason: NotExercised) -> None:
        """Nobody is turned away here."""


@contextmanager
def wire_to(url: str, **fields: Any) -> Iterator[Wire]:
    """Connect to a server of the contract."""
    contract = Contract(hostile.CONTRACT)
    limits = {"total_timeout": 10, "max_response_bytes": 1_000_000, **fields}
    key = {"api_key_env": KEY_ENV, "secrets": {KEY_ENV: KEY}}
    target = Target(name="mine", service="svc", base_url=url, workflow="none", **key, **limits)
    wire = Wire(target, contract, Coverage(contract), Secrets(), Seen())
    try:
        yield wire
    finally:
        wire.close()


def asked(serve: hostile.Serve, **fields: Any) -> Exchange:
    """Give the one exchange with a server."""
    with served(serve) as url, wire_to(url, **fields) as wire:
        return wire.send(RequestCase(wire.contract.operations[0]))


@pytest.mark.parametrize("name", TELLS)
def test_reply_without_end_or_sense_is_a_violation(name: str) -> None:
    """Nothing comes through to the rules, and what is told names the limit or the lie."""
    seconds = 0.3 if "within" in TELLS[name] else 10
    with served(hostile.HOSTILE[name]()) as url, wire_to(url, total_timeout=seconds) as wire:
        with pytest.raises(Unanswered, match=TELLS[name]):
            wire.send(RequestCase(wire.contract.operations[0]))

        assert isinstance(watch := wire._watch, Seen)
        assert watch.violations[0].received.startswith(TELLS[name])
        assert watch.violations[0].reproduce.startswith("curl ")


# Without the time of day, which would give every worker another name for the same test.
zipped = partial(gzip.compress, mtime=0)


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (whole(b"plain"), b"plain"),
        (whole(zipped(b"zip"), "Content-Encoding: gzip"), b"zip"),
        (whole(zipped(b"two ") + zipped(b"members"), "Content-Encoding: X-GZIP"), b"two members"),
        (whole(zlib.compress(b"deflate"), "Content-Encoding: deflate"), b"deflate"),
        (whole(zlib.compress(b"raw")[2:-4], "Content-Encoding: deflate"), b"raw"),
        (whole(zipped(zlib.compress(b"both")), "Content-Encoding: deflate, gzip"), b"both"),
        (whole(b"same", "Content-Encoding: identity"), b"same"),
        (whole(b"", "Content-Encoding: gzip"), b""),
        (head(version="HTTP/1.0") + b"until the end", b"until the end"),
        (head("Connection: close") + b"until the close", b"until the close"),
        (head("Transfer-Encoding: chunked") + b"4\r\nbits\r\n0\r\n\r\n", b"bits"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + whole(b"after"), b"after"),
        (whole(b"x" * 1_000_000), b"x" * 1_000_000),
    ],
)
def test_every_legal_form_of_a_reply_is_read(reply: bytes, body: bytes) -> None:
    """Codings, framings, interim replies, and a body that is exactly as large as it may be."""
    assert asked(of(reply)).reply == body


@pytest.mark.parametrize("coding", ["br", "utf-8"])
def test_coding_that_was_not_asked_for_is_a_violation(coding: str) -> None:
    """What a client can't undo it must not be sent."""
    with pytest.raises(Unanswered, match=f"the body is said to be '{coding}', which was not asked for"):
        asked(of(whole(b"{}", f"Content-Encoding: {coding}")))


def test_cut_gzip_is_a_violation() -> None:
    """A length that fits says nothing of what is compressed."""
    with pytest.raises(Unanswered, match="Content-Encoding announces: it is cut"):
        asked(of(whole(gzip.compress(b"whole")[:-6], "Content-Encoding: gzip")))


@pytest.mark.parametrize("address", ["http://[bad", "http://a:b", "//", "http://" + "a" * 5000])
def test_address_of_a_redirect_is_never_read(address: str) -> None:
    """Whatever it is, the reply is one like others."""
    exchange = asked(of(whole(b"{}", f"Location: {address}", status="302 Found")))

    assert exchange.status == 302


def test_connection_that_ends_with_each_reply_is_no_breach() -> None:
    """Fifty requests, after each of which the server closes without a word, get fifty replies."""
    with served(of(whole(b"{}"))) as url, wire_to(url, requests_per_second=10_000) as wire:
        operation = wire.contract.operations[0]

        assert [wire.send(RequestCase(operation)).status for _ in range(50)] == [200] * 50


def test_lie_about_gzip_is_a_finding(tmp_path: Path) -> None:
    """A run over a server that lies about gzip tells of SRV-01 and comes to its end."""
    with served(hostile.HOSTILE["a lie about gzip"]()) as url:
        judgement = judge(tmp_path, *set_up(tmp_path, url))

    assert judgement.violations == [("SRV-01", "listThings")]
    assert "--compressed" not in judgement.row("SRV-01")["reproduce"]
    assert "Accept-Encoding: gzip, deflate" in judgement.row("SRV-01")["reproduce"]


@pytest.mark.parametrize(
    ("items", "is_unique"),
    [
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1.0}], False),
        ([1, True, "1", [1], {"1": 1}, None, 0, False], True),
        ([{"n": n} for n in range(20_000)], True),
    ],
    ids=["equal objects", "all kinds", "many objects"],
)
def test_unique_items_take_no_square_of_time(items: list[Any], is_unique: bool) -> None:  # noqa: FBT001
    """Twenty thousand objects are compared in less than a second, and as JSON Schema compares them."""
    contract = Contract({**hostile.CONTRACT, "components": {"schemas": {"Set": {"uniqueItems": True}}}})
    started = time.process_time()

    assert contract.is_valid(items, "#/components/schemas/Set") == is_unique
    assert time.process_time() - started < 5


def test_large_replies_are_few() -> None:
    """An operation whose every reply takes long to judge is asked no more after some, and says where the limit is."""
    with served(of(whole(b'{"text": "' + b"x" * 200_000 + b'"}'))) as url, wire_to(url) as wire:
        watch = Recorder(wire.contract, wire.target, UndocumentedData(), reporting_rules())
        wire._watch = watch
        case = RequestCase(wire.contract.operations[0])
        for _ in range(8):
            wire.send(case)
        with pytest.raises(NotExercised, match=r"8 times more than 125,000 bytes or 25,000 values; see max"):
            wire.send(case)


def test_alternative_that_does_not_fit_costs_one_problem() -> None:
    """Of two hundred thousand members that do not fit the first form, one is enough to try the second."""
    forms = {"anyOf": [{"additionalProperties": {"type": "string"}}, True]}
    contract = Contract({**hostile.CONTRACT, "components": {"schemas": {"Form": forms}}})
    value = dict.fromkeys(map(str, range(200_000)), 1)
    started = time.process_time()

    assert contract.problems(value, "#/components/schemas/Form") == []
    assert time.process_time() - started < 5


def test_what_is_kept_of_replies_is_bounded() -> None:
    """Of a hundred megabytes of replies no more than 64 are kept for later rules, which are told so."""
    body = b'"' + b"x" * 1_000_000 + b'"'
    with served(of(whole(body))) as url, wire_to(url, max_response_bytes=8 * hostile.MEGA) as wire:
        exchange = wire.send(RequestCase(wire.contract.operations[0]))
        watch = Recorder(wire.contract, wire.target, UndocumentedData(), reporting_rules())
    for _ in range(100):
        watch.saw(replace(exchange, reply=bytes(bytearray(body))))

    assert sum(len(one.reply) for one in watch.exchanges) < 65 * hostile.MEGA
    assert watch.exchanges[0].json
    with pytest.raises(NotExercised, match="too large to be kept"):
        assert watch.exchanges[-1].json
