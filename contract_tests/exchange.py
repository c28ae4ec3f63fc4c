"""One request and its reply, as evidence: what was seen, and the curl line that shows it again."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from contract_tests.json_text import read_json
from contract_tests.masking import Secrets
from contract_tests.rules import Violation, expect, shown

Status = int


@dataclass(frozen=True)
class Exchange:
    """
    A request that was sent and the reply that came.

    Attributes:
        environment: Headers whose value is a secret, with the environment variable (and prefix) that holds it.
        content: Body of the request as sent, None if there was none.
        status: Of the reply, as are ``reply_headers`` and ``reply``.
        seconds: Time from the request to the whole reply.
        secrets: What has to be masked in texts of the reply before they are cut.
    """

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

    @property
    def media_type(self) -> str:
        """Of the reply, without parameters; empty if it has none."""
        return self.reply_headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def shown(self) -> str:
        """The reply in one bounded line."""
        body = self.bounded(self.reply.decode("utf-8", "replace")) if self.reply else "no body"
        return f"{self.status} {self.media_type or 'without content type'}: {body}"

    def bounded(self, text: str, limit: int = 300) -> str:
        """Show a text that the reply had a part in; masked first, since a secret cut in two is not recognised."""
        return shown(self.secrets.mask(text), limit)

    @property
    def curl(self) -> str:
        """A command that sends the same request again; secrets stand in it as environment variables."""
        return curl(self.method, self.url, {**self.headers}, self.environment, self.content)

    @property
    def json(self) -> Any:
        """
        The reply's body as JSON.

        Raises:
            Violation: If it is none.
        """
        try:
            return read_json(self.reply)
        except ValueError:
            raise Violation(received=self.shown, constraint="json", reproduce=self.curl) from None

    def must_be(self, *statuses: Status) -> Self:
        """
        Demand one of these statuses.

        Raises:
            Violation: If the reply has another one.
        """
        expect(self.status in statuses, "status", received=self.shown, reproduce=self.curl)
        return self

    def must_succeed(self) -> Self:
        """
        Demand any status from 200 to 299: which one is right has a rule of its own, so that a breach counts once.

        Raises:
            Violation: If the reply has another one.
        """
        expect(200 <= self.status < 300, "success", received=self.shown, reproduce=self.curl)  # noqa: PLR2004
        return self

    def must_be_refused(self) -> Self:
        """
        Demand any status from 400 to 499.

        Raises:
            Violation: If the reply has another one.
        """
        expect(400 <= self.status < 500, "status", received=self.shown, reproduce=self.curl)  # noqa: PLR2004
        return self

    def must_have(self, member: str, *types: type) -> Any:
        """
        Demand a JSON object with a member of one of these types, exactly (a boolean is no integer), and give it.

        Raises:
            Violation: If the body is no object, or the member is missing or of another type.
        """
        body = self.json
        expect(isinstance(body, dict), "object", received=self.shown, reproduce=self.curl)
        holds = member in body and type(body[member]) in types
        expect(holds, f"member {member}", received=self.shown, reproduce=self.curl)
        return body[member]

    def expect(self, holds: bool, constraint: str, received: str = "") -> None:  # noqa: FBT001
        """
        Say what else has to hold of this reply.

        Raises:
            Violation: If it does not hold.
        """
        expect(holds, constraint, received=f"{received}; {self.shown}" if received else self.shown, reproduce=self.curl)


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
