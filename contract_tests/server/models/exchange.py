"""One request and its response, as evidence: what was seen, and the curl line that shows it again."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final, Self

from contract_tests.cases.case import RequestCase
from contract_tests.http.redaction import Secrets
from contract_tests.openapi.document import Media
from contract_tests.openapi.json_text import essence_of, json_or, read_json, whole
from contract_tests.rules import Evidence, NotExercised, Violation, Wrong, shown

Status = int
REFUSED: Final = range(400, 500)
LATER: Final = (429, 503)  # to be asked again, which says nothing of the request
SUCCEEDED: Final = range(200, 300)
SHOWN: Final = 300  # characters of a response
LONGEST_TYPE: Final = 100


class Access(Enum):
    """With which credentials a request was sent."""

    OWN = "own key"
    NO_KEY = "no key"
    WRONG_KEY = "wrong key"
    NEAR_KEY = "nearly the key"


STRANGERS: Final = (Access.NO_KEY, Access.WRONG_KEY)


@dataclass(frozen=True)
class Exchange:
    """
    A request that was sent and the response that came.

    Attributes:
        case: The request as data.
        number: How many requests had been sent to the target by then, this one included.
        access: With which credentials.
        is_legal: Whether the contract has nothing against the request; ``case.breach`` is set if it has one thing.
        environment: Headers whose value is a secret, with the environment variable (and prefix) that holds it.
        content: Body of the request as sent, None if there was none.
        status: Of the response, as are ``reply_headers`` and ``reply``.
        seconds: Time from the request to the whole response.
        secrets: What has to be masked in texts of the response before they are cut.
        is_cut: Whether only the start of the response's body was kept, since too much was kept already.
        is_together: Whether it was sent together with others, so that nobody knows which was carried out first.
        keys: The credentials that were sent, right ones or others.
        presented: What stood in place of the key; empty if nothing did.
        key_words: What the curl line has for that.
    """

    case: RequestCase
    number: int
    access: Access
    is_legal: bool
    method: str
    url: str
    headers: Mapping[str, str]
    environment: Mapping[str, str]
    content: bytes | None
    status: Status
    reply_headers: Mapping[str, str]
    reply: bytes
    seconds: float
    secrets: Secrets = field(default_factory=Secrets, repr=False)
    is_cut: bool = False
    is_together: bool = False
    keys: tuple[str, ...] = field(default=(), repr=False)
    presented: str = ""
    key_words: str = ""

    @property
    def media_type(self) -> str:
        """Of the response, without parameters; empty if it has none."""
        return essence_of(self.reply_headers.get("content-type", ""))

    @property
    def media(self) -> Media | None:
        """What the contract says of the response's body; None if it says nothing of this status and media type."""
        response = self.case.operation.response(self.status)
        return response.media.get(self.media_type) if response else None

    @property
    def shown(self) -> str:
        """The response in one bounded line."""
        # No more of it than can be shown, and the longest secret: a body may have millions of characters.
        start = self.reply[: 4 * (SHOWN + 2 + self.secrets.longest)]
        body = self.bounded(start.decode("utf-8", "replace")) if self.reply else "no body"
        named = self.bounded(self.media_type, LONGEST_TYPE) or "without content type"
        return f"{self.status} {named}: {body}"

    def bounded(self, text: str, limit: int = SHOWN) -> str:
        """Show a text that the response had a part in; masked first, since a secret cut in two is not recognised."""
        return shown(self.secrets.mask_start(text, limit + 1), limit)

    @property
    def curl(self) -> str:
        """A command that sends the same request again; secrets stand in it as environment variables."""
        command = curl(self.method, self.url, {**self.headers}, self.environment, self.content)
        return f"{command} {self.key_words}".strip()

    @property
    def has_succeeded(self) -> bool:
        """Whether the status is one from 200 to 299."""
        return self.status in SUCCEEDED

    @property
    def is_refused(self) -> bool:
        """Whether the status is one from 400 to 499."""
        return self.status in REFUSED

    @property
    def json(self) -> Any:
        """The response's body as JSON; raises NotExercised if it is none, which has a rule of its own."""
        if self.is_cut:
            raise NotExercised("the replies are too large to be kept")
        try:
            return read_json(self.reply)
        except ValueError:
            raise NotExercised(f"the reply is not JSON: {self.shown}") from None

    @property
    def is_object(self) -> bool:
        """Whether the response's body is a JSON object."""
        return isinstance(json_or(self.reply, None), dict)

    @property
    def result(self) -> dict[str, Any]:
        """The object with which a request has succeeded; empty if it has not, or there is none."""
        return self.json if self.has_succeeded and self.is_object else {}

    def violation(
        self,
        constraint: str,
        received: str = "",
        *,
        documented: str = "",
        wrong: Wrong | None = None,
        tried: tuple[str, ...] = (),
    ) -> Violation:
        """Make a finding of which this exchange is the evidence; see :class:`~contract_tests.rules.Evidence`."""
        text = f"{received}; {self.shown}" if received else self.shown
        evidence = Evidence(self.number, self.status, wrong, tried)
        return Violation(text, constraint, documented, self.curl, evidence=evidence)

    def check(self, holds: bool, constraint: str, received: str = "") -> Violation | None:  # noqa: FBT001
        """Return a finding, made after this request, if something does not hold of the response."""
        return None if holds else replace(self.violation(constraint, received), found_after=self.number)

    def check_status(
        self, *statuses: Status, constraint: str = "status", received: str = "", tried: tuple[str, ...] = ()
    ) -> Violation | None:
        """
        Return a finding, made after this request, if the response has none of these statuses.

        Of a request that has to succeed, ``tried`` are the parts that it tries, by their pointers in the contract;
        without them it is the operation itself.
        """
        if self.status in statuses:
            return None
        has_to_succeed = self.is_legal and all(status in SUCCEEDED for status in statuses)
        parts = (tried or (self.case.operation.pointer,)) if has_to_succeed else ()
        found = self.violation(constraint, received, wrong=Wrong.STATUS, tried=parts)
        return replace(found, found_after=self.number)

    def must_be(self, *statuses: Status, constraint: str = "status", tried: tuple[str, ...] = ()) -> Self:
        """Demand one of these statuses; see :meth:`check_status`; raises Violation if the response has another one."""
        found = self.check_status(*statuses, constraint=constraint, tried=tried)
        if found is not None:
            raise found
        return self

    def must_succeed(self, *tried: str) -> Self:
        """Demand any status from 200 to 299; see :meth:`must_be`."""
        return self.must_be(*SUCCEEDED, constraint="success", tried=tried)

    def must_be_refused(self) -> Self:
        """Demand any status from 400 to 499. What the request breaks is the constraint, if that is exactly one."""
        breach = self.case.breach
        return self.must_be(*REFUSED, constraint=breach.constraint if breach else "status")

    def must_have(self, member: str, *types: type) -> Any:
        """
        Demand a JSON object with a property of one of these types, exactly (a boolean is no integer), and give it.

        An integer may be written as ``7.0`` too. Raises Violation if the property is missing or of another type;
        NotExercised if the body is no object, which has a rule of its own.
        """
        body = self.json
        if not isinstance(body, dict):
            raise NotExercised(f"the reply is no object: {self.shown}")
        number = whole(body.get(member)) if int in types else None
        self.expect(member in body and (number is not None or type(body[member]) in types), f"member {member}")
        return body[member] if number is None else number

    def expect(self, holds: bool, constraint: str, received: str = "") -> None:  # noqa: FBT001
        """Say what else has to hold of this response; raises Violation if it does not hold."""
        if not holds:
            raise self.violation(constraint, received)


def curl(
    method: str, url: str, headers: Mapping[str, str], environment: Mapping[str, str], content: bytes | None
) -> str:
    """Write a request as a curl command line for a POSIX shell."""
    words = ["curl", "-sS", "-i", "--max-time", "60", *(["-I"] if method == "HEAD" else ["-X", method])]
    words = [shlex.quote(word) for word in words]
    words += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    words += [f'-H "{name}: {reference}"' for name, reference in environment.items()]
    words.append(shlex.quote(url))
    if content is None:
        return " ".join(words)
    text = content.decode("utf-8", "replace")
    if text.isprintable() and text.encode() == content:
        return (
            " ".join([*words, "--data-binary", shlex.quote(text)])
            if not text.startswith("@")
            else _piped(words, content)
        )
    return _piped(words, content)


def _piped(words: list[str], content: bytes) -> str:
    octal = "".join(f"\\{byte:03o}" for byte in content)
    return f"printf '{octal}' | " + " ".join([*words, "--data-binary", "@-"])
