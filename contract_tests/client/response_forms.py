"""Responses that say the same in other forms: compressed, in parts, of other sizes, and as large as a client reads."""

import gzip
import json
import random
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from contract_tests.cases.case import RequestCase
from contract_tests.cases.keeping import once
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials
from contract_tests.http.recording_server import ScriptedResponse
from contract_tests.openapi.json_text import is_json
from contract_tests.rules import NotApplicable

LARGE: Final = 150_000
PARTS, MOMENT = 16, 0.005
MAX_ASCII: Final = 0x7F
EARLY_HINTS: Final = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
CODINGS: Final[Mapping[str, Callable[[bytes], bytes]]] = {"gzip": gzip.compress, "deflate": zlib.compress}


def codings(
    trials: Trials, plain: ScriptedResponse, known: Collection[str] = tuple(CODINGS)
) -> Iterator[tuple[str, str, Trial[RequestCase]]]:
    """
    Yield each mode and each of some codings that the client asks for there, with a call whose response has none.

    Raises:
        NotApplicable: If it asks for none of them in any mode.
    """
    is_asked = False
    for mode in trials.modes():
        trial = trials.answered(mode, plain)
        accepted = ",".join(trial.seen[0].all("Accept-Encoding")).lower() if trial.seen else ""
        for coding in known:
            if coding in [part.strip() for part in accepted.split(",")]:
                is_asked = True
                yield mode, coding, trial
    if not is_asked:
        raise NotApplicable("the client asks for no compressed response")


def packed(plain: ScriptedResponse, coding: str) -> ScriptedResponse:
    """Return a response with its body compressed."""
    return replace(plain, body=CODINGS[coding](plain.body), headers=(("Content-Encoding", coding),))


def parts_of(whole: ScriptedResponse) -> dict[str, ScriptedResponse]:
    """Return a compressed response that is not whole, in the ways in which it may not be."""
    length = len(whole.body)
    ends = {"half": length // 2, "without its end": length - 3}
    return {about: replace(whole, body=whole.body[:end]) for about, end in ends.items()}


def in_members(plain: ScriptedResponse) -> ScriptedResponse:
    """Return a response as a series of two compressed members."""
    body, half = plain.body, len(plain.body) // 2
    return replace(packed(plain, "gzip"), body=gzip.compress(body[:half]) + gzip.compress(body[half:]))


@once
def sizes(trials: Trials) -> dict[str, ScriptedResponse]:
    """Return one response of success in several sizes, which all say the same, by what is particular about each."""
    plain = _with_odd_letters(trials)
    if not is_json(plain.media_type or ""):
        return {"": plain}
    # What stands in front says nothing; whoever loses the end loses what does. The one packs well, the other hardly.
    spread = bytes(b" \t\n\r"[byte % 4] for byte in random.Random(1).randbytes(LARGE))  # noqa: S311 - no secret
    many = {"much of the same": b" " * LARGE, "much of all kinds": spread}
    return {"": plain} | {about: replace(plain, body=front + plain.body) for about, front in many.items()}


def _with_odd_letters(trials: Trials) -> ScriptedResponse:
    """Return the success with the most letters beyond ASCII, which are written as they are."""
    own = [case for case in trials.book.legal_replies(trials.operation) if case.is_success and case.has_value]
    written = [
        replace(case.answer, body=json.dumps(case.value, ensure_ascii=False).encode())
        for case in own
        if is_json(case.answer.media_type or "") and trials.start_for(case) is trials.start and _is_text(case.value)
    ]
    return max(written, key=lambda one: sum(byte > MAX_ASCII for byte in one.body), default=trials.success)


def _is_text(value: Any) -> bool:
    try:
        return bool(json.dumps(value, ensure_ascii=False).encode())
    except UnicodeEncodeError:  # half a letter, which has no form but its escape
        return False


def in_parts(trials: Trials) -> dict[str, ScriptedResponse]:
    """Return a response in the ways in which HTTP lets it come, by what is particular about them."""
    plain = _with_odd_letters(trials)
    length = max(1, len(plain.body) // PARTS)
    return {
        "": plain,
        "in chunks": replace(plain, chunk=length),
        "in segments": replace(plain, segment=length, pause=MOMENT),
        "until its end": replace(plain, has_length=False, is_last=True),
        "after an interim response": replace(plain, before=EARLY_HINTS),
    } | {about: answer for about, answer in sizes(trials).items() if about}


def within_limit(trials: Trials, mode: str) -> dict[str, Trial[RequestCase]]:
    """Return calls whose responses are just as large as the client may read."""
    plain = trials.success
    return _with_limit(trials, mode, len(plain.body), {"plain": plain, "packed": packed(plain, "gzip")})


def beyond_limit(trials: Trials, mode: str) -> dict[str, Trial[RequestCase]]:
    """Return calls whose responses are larger than the client may read, by what is particular about them."""
    plain = trials.success
    large = replace(plain, body=b" " * LARGE + plain.body)
    a_byte = _with_limit(trials, mode, len(plain.body) - 1, {"a byte more": plain})
    in_chunks = {"in chunks": replace(large, chunk=LARGE // PARTS)}
    in_codings = {coding: packed(large, coding) for coding in CODINGS}
    return a_byte | _with_limit(trials, mode, LARGE, {"plain": large, **in_codings, **in_chunks})


def _with_limit(
    trials: Trials, mode: str, most: int, answers: Mapping[str, ScriptedResponse]
) -> dict[str, Trial[RequestCase]]:
    if not is_json(trials.success.media_type or ""):
        raise NotApplicable("no success of the operation is JSON")
    return {about: trials.answered(mode, answer, most_bytes=most) for about, answer in answers.items()}
