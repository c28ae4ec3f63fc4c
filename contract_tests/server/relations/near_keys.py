"""Credentials that are nearly the right ones, or stand where the contract does not have them."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from contract_tests.cases.case import RequestCase
from contract_tests.openapi.document import Operation
from contract_tests.rules import NotApplicable
from contract_tests.server.credentials import BASIC, WRONG_KEY, key_places
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.relations.legal_requests import taken_request
from contract_tests.server.sanitize import RUNS
from contract_tests.server.server import NO_SUCH_ID, NO_SUCH_WORKFLOW, ServerUnderTest
from contract_tests.server.shares import has_few_requests
from contract_tests.server.transport import Presented

NAMES: Final = ("api_key", "apikey", "key", "token", "access_token", "X-API-KEY")
OTHER_HEADERS: Final = ("X-API-KEY", "Api-Key", "X-Auth-Token")
OTHER_NAMES: Final[Mapping[str, Callable[[str], str]]] = {
    "names of headers in capitalised words": str.title,
    "names of headers in lower case": str.lower,
    "names of headers in upper case": str.upper,
}
ALWAYS: Final = 3  # kinds that every operation is tried with
OF_EACH: Final = 4  # of the others one in so many


def near_keys(server: ServerUnderTest, operation: Operation) -> list[Presented]:
    """
    Return them all, the likeliest first.

    Raises:
        NotApplicable: If the contract asks for no key, or not in a header.
    """
    if not operation.security or () in operation.security:
        raise NotApplicable("the contract asks for no credentials")
    places = key_places(server.contract, operation)
    location, name, prefix = places[0]
    if len(places) > 1 or location != "header" or prefix == BASIC:
        raise NotApplicable("its key does not stand in one header as it is")
    variable = server.target.api_key_env
    key = server.target.secrets[variable]
    return [*_changed(name, prefix, key, variable), *_elsewhere(name, prefix, key, variable)]


def exchanges_with_near_keys(
    server: ServerUnderTest, operation: Operation, seed: int, *, all_kinds: bool
) -> list[Exchange]:
    """Send a request that was taken with each of them in place of the key; of a few operations only with some."""
    kinds = near_keys(server, operation)
    taken = taken_request(server, operation)
    if not all_kinds:
        place = [one.id for one in server.contract.operations].index(operation.id)
        others = kinds[ALWAYS:][(seed + place) % OF_EACH :: OF_EACH]
        kinds = [*kinds[:ALWAYS], *(others[:1] if has_few_requests(server.target) else others)]
    send = partial(server.wire.send, taken.case, Access.NEAR_KEY)
    return [server.once(f"{operation.id} with {kind.name}", partial(send, kind)) for kind in kinds]


def exchanges_with_other_names(
    server: ServerUnderTest, operation: Operation, *, all_kinds: bool
) -> list[tuple[Exchange, bool]]:
    """
    Send a request with the names of its headers, that of the key among them, as other clients write them.

    Returns:
        What came of each, and whether it has to be taken as it was before: of what changes something only the key is
        looked at, since it names what is not there.
    """
    taken = taken_request(server, operation)
    names = [*taken.environment, *taken.headers]
    kinds = [one for one in OTHER_NAMES.items() if any(one[1](name) != name for name in names)]
    if not all_kinds:
        place = [one.id for one in server.contract.operations].index(operation.id)
        kinds = kinds[place % len(kinds) :][:1]
    is_repeatable = operation.is_read_only or operation.id in RUNS
    case = taken.case if is_repeatable else _of_nothing(taken.case)
    return [
        (
            server.once(
                f"{operation.id} with {what}",
                partial(server.wire.send, case, Access.OWN, Presented(what, rename=write)),
            ),
            is_repeatable,
        )
        for what, write in kinds
    ]


def _of_nothing(case: RequestCase) -> RequestCase:
    """Return a write that names a workflow which is not there."""
    if not case.path and isinstance(case.body, dict):
        left = {name: value for name, value in case.body.items() if name not in {"name", "workflow_name"}}
        return replace(case, body={**left, "workflow_id": NO_SUCH_ID})
    named = {
        name: NO_SUCH_ID if name == "workflow_id" else NO_SUCH_WORKFLOW for name in case.path if "workflow" in name
    }
    return replace(case, path={**case.path, **named})


def _changed(name: str, prefix: str, key: str, variable: str) -> Iterator[Presented]:
    def header(what: str, value: str, words: str, *keys: str) -> Presented:
        return Presented(what, ((name, f"{prefix}{value}".strip()),), words=f'-H "{name}: {prefix}{words}"', keys=keys)

    half, end = len(key) // 2, "x" if key[-1:] != "x" else "y"
    yield Presented(
        "an empty key", ((name, prefix.strip()),), words=f"-H '{name}{': ' + prefix.strip() if prefix else ';'}'"
    )
    yield header("the key without its end", key[:-1], f"${{{variable}%?}}", key[:-1])
    right, wrong = (name, f"{prefix}{key}"), (name, f"{prefix}{WRONG_KEY}")
    lines = [f'-H "{name}: {prefix}${variable}"', f"-H '{name}: {prefix}{WRONG_KEY}'"]
    yield Presented("a wrong key behind the right one", (right, wrong), words=" ".join(lines), keys=(key,))
    yield header("the key with more behind it", f"{key}x", f"${{{variable}}}x", f"{key}x")
    yield header("the key with another end", key[:-1] + end, f"${{{variable}%?}}{end}", key[:-1] + end)
    yield header("the key without its beginning", key[1:], f"${{{variable}#?}}", key[1:])
    if key.swapcase() != key:
        swapped = f'$(printf %s "${variable}" | tr a-zA-Z A-Za-z)'
        yield header("the key in another case", key.swapcase(), swapped, key.swapcase())
    inner = f"{key[:half]} {key[half:]}"
    yield header(
        "the key with a space in it", inner, f"$(printf %s \"${variable}\" | sed 's/.\\{{{half}\\}}/& /')", key
    )
    yield Presented("a wrong key before the right one", (wrong, right), words=" ".join(reversed(lines)), keys=(key,))


def _elsewhere(name: str, prefix: str, key: str, variable: str) -> Iterator[Presented]:
    others = [(other, key) for other in OTHER_HEADERS if other.lower() != name.lower()]
    if name.lower() != "authorization":
        others.append(("Authorization", f"Bearer {key}"))
    others.append(("Cookie", "; ".join(f"{one}={key}" for one in (*NAMES, "session"))))
    shown = " ".join(f'-H "{other}: {value.replace(key, f"${variable}")}"' for other, value in others)
    yield Presented("the key in other headers", tuple(others), words=shown, keys=(key,))
    query = tuple((one, key) for one in NAMES)
    shown = " ".join(f'--url-query "{one}=${variable}"' for one in NAMES)
    yield Presented("the key in the query", query=query, words=shown, keys=(key,))
    yield Presented(
        "the key in the body", member=("api_key", key), words=f"# with api_key: ${variable} in the body", keys=(key,)
    )
    if prefix:
        basic = b64encode(f"{key}:".encode()).decode()
        yield Presented(
            "the key by another scheme", ((name, f"Basic {basic}"),), words=f'-u "${variable}:"', keys=(key, basic)
        )
        yield Presented("the key without a scheme", ((name, key),), words=f'-H "{name}: ${variable}"', keys=(key,))
        yield Presented(
            "the key by a scheme of its own",
            ((name, f"Token {key}"),),
            words=f'-H "{name}: Token ${variable}"',
            keys=(key,),
        )
