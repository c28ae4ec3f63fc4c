"""Every operation of a server: what caches may keep."""

import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Final

from contract_tests.openapi.document import Contract, Operation
from contract_tests.openapi.json_text import json_or, same
from contract_tests.registry import found_by
from contract_tests.rules import EVERY_OPERATION, Checks, NotApplicable, Violation
from contract_tests.rules import rule as card
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.models.execution import OK, PENDING
from contract_tests.server.relations.workflow_history import WorkflowHistory
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.traffic import Traffic

HTTP: Final = "https://www.rfc-editor.org/rfc/rfc9111"
KEPT_BY_NOBODY: Final = frozenset({"no-store", "no-cache"})
SHARED: Final = frozenset({"public", "s-maxage"})
AUTHORIZATION: Final = "authorization"
rule: Final = partial(card, source=HTTP, basis="documented", operations=EVERY_OPERATION, side="server")
Found = Callable[[], list[Violation]]


def _check_shared(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """A cache that many share may not keep what was answered to one key."""
    keys = {name.lower() for name in exchange.environment}
    if exchange.access is not Access.OWN or not exchange.has_succeeded or not keys:
        return
    directives, varies = _directives(exchange), set(_words(exchange, "vary"))
    if directives.keys() & {*KEPT_BY_NOBODY, "private"} or varies & {*keys, "*"}:
        return
    # Only what was asked for by Authorization is kept by no shared cache unless a response says that it may be.
    is_shared = (
        directives.keys() & SHARED if keys == {AUTHORIZATION} else _lifetime(exchange) > 0 or "public" in directives
    )
    if is_shared and directives.get("s-maxage") != "0":
        told = exchange.bounded(_told(exchange))
        yield exchange.violation("shared", f"a cache may give it to anybody who asks without the key: {told}")


def _check_unfinished(_: Contract, exchange: Exchange) -> Iterator[Violation]:
    """What is not finished is not kept."""
    if exchange.method != "GET" or exchange.status != PENDING or _directives(exchange).keys() & KEPT_BY_NOBODY:
        return
    if _lifetime(exchange) > 0:
        yield exchange.violation(
            "unfinished", exchange.bounded(f"whoever asks again may be given it: {_told(exchange)}")
        )


@rule(
    "REL-CACHE-01",
    "What is answered to a key, or is not finished, is not for caches.",
    says="The contract asks for a key. A response that is public, or fresh for a while where the key has a header of "
    "its own, a shared cache gives to whoever asks; a 202 that is fresh for a while to who asks again after the end.",
)
@found_by(_check_shared, _check_unfinished)
def test_responses_are_not_for_caches(operation: Operation, found: Found) -> Checks:
    if not operation.security or () in operation.security:
        raise NotApplicable("the contract asks for no credentials")
    return found()


@rule(
    "REL-CACHE-02",
    "A strong entity tag changes with what it is for.",
    says="A strong validator changes whenever the representation does: who asks with If-None-Match for what has "
    "changed gets it, and no 304.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-8.8.1",
    requests=1,
)
def test_entity_tags_change(
    operation: Operation, server: ServerUnderTest, traffic: Traffic, history: WorkflowHistory
) -> Checks:
    if not operation.is_read_only:
        raise NotApplicable("it changes something")
    traffic.play(operation)
    _ = history.problem if operation.service == "promptlayer" else None  # reading it is what plays it
    own = [one for one in server.watch.of(operation.id) if one.access is Access.OWN and not one.is_cut]
    first: dict[tuple[str, str], Exchange] = {}
    for one in own:
        tag = one.reply_headers.get("etag", "")
        if one.method == "GET" and one.status == OK and tag.startswith('"'):
            before = first.setdefault((one.url, tag), one)
            is_same = same(json_or(before.reply, before.reply.hex()), json_or(one.reply, one.reply.hex()))
            yield one.check(is_same, "ETag", f"with the same ETag {tag} it was before: {before.shown}")


def _words(exchange: Exchange, name: str) -> list[str]:
    return [word.strip().lower() for word in exchange.reply_headers.get(name, "").split(",") if word.strip()]


def _directives(exchange: Exchange) -> dict[str, str]:
    return {word.partition("=")[0]: word.partition("=")[2].strip('"') for word in _words(exchange, "cache-control")}


def _lifetime(exchange: Exchange) -> float:
    """Return for how many seconds a cache that many share may take it for fresh, as far as it says so."""
    directives = _directives(exchange)
    for name in ("s-maxage", "max-age"):
        if name in directives:
            return float(directives[name]) if directives[name].isdecimal() else 0.0
    try:
        return parsedate_to_datetime(exchange.reply_headers.get("expires", "")).timestamp() - time.time()
    except (TypeError, ValueError):
        return 0.0


def _told(exchange: Exchange) -> str:
    names = ("cache-control", "expires", "vary")
    return ", ".join(f"{name}: {exchange.reply_headers[name]}" for name in names if name in exchange.reply_headers)
