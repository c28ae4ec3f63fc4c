"""What a response to the known-good request shows to be wrong with the set-up, not the service, and what to check."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from contract_tests.openapi.json_text import is_json, json_or
from contract_tests.rules import SetUpError, shown
from contract_tests.server.models.exchange import REFUSED, Exchange
from contract_tests.server.transport import TOO_MANY
from contract_tests.targets import Target

DENIED: Final = (401, 403)
PROXY_DENIES: Final = 407
AWAY: Final = (502, 503, 504, *range(520, 531))  # what gateways say for a service that does not answer them
WITHOUT_PLACE: Final = (404, 405, 410)
MOST_SHOWN: Final = 120


def is_page(exchange: Exchange) -> bool:
    """Whether the response is a page for a browser, which no operation answers with."""
    if is_json(exchange.media_type) or exchange.media is not None or json_or(exchange.reply, ...) is not ...:
        return False
    return exchange.media_type in {"text/html", "application/xhtml+xml"} or exchange.reply.lstrip()[:1] == b"<"


def is_redirect(exchange: Exchange) -> bool:
    """Whether the response sends the client to another address."""
    return exchange.status in range(300, 400)


def is_away(exchange: Exchange) -> bool:
    """Whether the service is not there to answer, and something in front of it says so."""
    return exchange.status in AWAY or (exchange.status >= 500 and is_page(exchange))  # noqa: PLR2004 - HTTP


def is_doubtful(exchange: Exchange) -> bool:
    """Whether a response to a request of ours may come from a set-up that has gone wrong since the run began."""
    return exchange.status in DENIED or is_redirect(exchange) or is_away(exchange) or is_page(exchange)


@dataclass(frozen=True)
class Sign:
    """
    One way in which a set-up is wrong.

    Attributes:
        holds: Whether a response shows it.
        check: What to look at; names in braces are fields of the target, ``location`` is where a redirect leads to.
        needs: Which further requests have to agree: ``""`` for none, ``"others"`` for smaller forms of the same one,
            which a broken server may take, and ``"another"`` for one of another kind, which shows that it is there.
    """

    holds: Callable[[Exchange], bool]
    check: str
    needs: str = ""


SIGNS: Final = (
    Sign(is_redirect, "it redirects to {location}: base_url has to be the final address"),
    Sign(
        lambda reply: reply.status in DENIED and is_page(reply),
        "a page for people, as of a firewall or proxy: may this machine reach {base_url}?",
    ),
    Sign(lambda reply: reply.status in DENIED, "the key is not taken: check {api_key_env} and headers_env"),
    Sign(
        lambda reply: reply.has_succeeded and is_page(reply),
        "a page for people, such as a login page: check base_url ({base_url})",
    ),
    Sign(lambda reply: reply.status == PROXY_DENIES, "the proxy wants credentials: check HTTPS_PROXY"),
    Sign(
        lambda reply: reply.status == TOO_MANY,
        "too many requests: lower requests_per_second ({requests_per_second:g}) or come back later",
    ),
    Sign(
        lambda reply: reply.status in WITHOUT_PLACE,
        "nothing is known there: check workflow ({workflow}) and the path of base_url ({base_url})",
        "others",
    ),
    Sign(
        lambda reply: reply.status in REFUSED,
        "the target's own workflow is refused: check workflow ({workflow}), input_variables and generation",
        "others",
    ),
    Sign(is_away, "the service is not available: come back later, or check base_url ({base_url})", "another"),
)
NO_PLACE: Final = "nothing is known there: check the path of base_url ({base_url})"
MISSING: Final = "no such {field} there: check {field} ({value})"
NO_MORE: Final = "it was started when the run began: come back later, or check workflow ({workflow})"
OTHER_SERVICE: Final = "nothing is started and nothing refused: is base_url ({base_url}) this service?"
UNANSWERED: Final = "check base_url ({base_url}): is it this service, and does it run?"
TLS: Final = "the port speaks TLS: base_url has to begin with https://"
OTHER_FORM: Final = "it takes the other form of execute: generation is {generation}"


def sign_of(exchange: Exchange) -> Sign | None:
    """Return what a response to the known-good request shows to be wrong; None if nothing is."""
    return next((sign for sign in SIGNS if sign.holds(exchange)), None)


def refusal_error(target: Target, exchange: Exchange, check: str, since: str = "", **more: object) -> SetUpError:
    """Make the one line that names target, operation, what came and what to check."""
    location = shown(exchange.secrets.mask(exchange.reply_headers.get("location", "nowhere")), MOST_SHOWN)
    body = exchange.bounded(exchange.reply.decode("utf-8", "replace"), MOST_SHOWN) if exchange.reply else "no body"
    came = f"{exchange.status} {shown(exchange.media_type, 60) or 'without content type'} ({body})"
    what = f"{_named(target, exchange.case.operation.id)} was answered {came}"
    return _line(target, what, check.format(location=location, **_fields(target), **more), since)


def no_response_error(
    target: Target, operation: str, reason: str, check: str = UNANSWERED, since: str = ""
) -> SetUpError:
    """Make the one line for a known-good request to which no response came."""
    return _line(target, f"{_named(target, operation)}: {reason}", check.format(**_fields(target)), since)


def _named(target: Target, operation: str) -> str:
    return f"{operation} of its own workflow" if target.runs_workflow else f"{operation}, as in the contract's example,"


def _line(target: Target, what: str, check: str, since: str) -> SetUpError:
    return SetUpError(f"target {target.name}: {since}{what}; {check}")


def _fields(target: Target) -> dict[str, object]:
    names = ("base_url", "api_key_env", "workflow", "generation", "requests_per_second")
    return {name: getattr(target, name) for name in names}
