"""Clients whose objects, replies and clients alike, do not keep what they were given."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, client, defect, generated

ONE_OBJECT: Final = (
    "        if cls._only is None:\n            cls._only = super().__new__(cls)\n"
    "        return cls._only  # type: ignore[return-value]\n"
)
COPIED: Final = "        return {name: copied(entry) for name, entry in value.items()}\n"
EXTRA: Final = "additional_properties: dict[str, Any] = _field(factory=dict)\n"
ITEMS: Final = (
    "    def __getitem__(self, key: str) -> Any:\n        return self.additional_properties[key]\n\n"
    "    def __setitem__(self, key: str, value: Any) -> None:\n        self.additional_properties[key] = value\n\n"
    "    def __contains__(self, key: str) -> bool:\n        return key in self.additional_properties\n\n"
)
DEFINED: Final = "@define(kw_only=True, repr=False)\n"
CLOSED: Final = "        if self._closed or standing.http.is_closed:\n"
TIMEOUT: Final = "return httpx.Timeout(_CONNECT, read=_ANSWER, pool=None)"


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield from _objects()
    yield from _clients()


def _objects() -> Iterator[ClientDefect]:
    yield defect(
        "absent.copied",
        "makes another object of what stands for absence when it is copied or pickled",
        "deepcopy and pickle broken",
        ("CL-OBJ-01", "CL-OBJ-02"),
        generated("unset.py", ONE_OBJECT, "        return super().__new__(cls)\n"),
        generated("unset.py", "    def __reduce__(self) -> str:\n", "    def reduced(self) -> str:\n"),
    )
    yield defect(
        "run_created.not-pickled",
        "has an object in its results that cannot be pickled",
        "deepcopy and pickle broken",
        "CL-OBJ-02",
        generated(
            "models/run_created.py",
            "        self.additional_properties = _extra\n",
            "        self.additional_properties = _Members(_extra)\n",
        ),
        generated(
            "models/run_created.py",
            "_MEMBERS: Final",
            "class _Members(dict):\n    def __reduce_ex__(self, protocol):\n        raise TypeError('no pickle')\n\n"
            "    def __deepcopy__(self, memo):\n        return _Members(self)\n\n"
            "    def __copy__(self):\n        return _Members(self)\n\n\n_MEMBERS: Final",
        ),
        operation="runWorkflow",
    )
    yield defect(
        "run_created.not-equal",
        "has results that are equal to themselves alone",
        "equality broken",
        "CL-OBJ-03",
        generated("models/run_created.py", DEFINED, "@define(kw_only=True, repr=False, eq=False)\n"),
        operation="runWorkflow",
    )
    yield defect(
        "workflow_run.evolved",
        "loses unknown members when an object is derived from another",
        "unknown members dropped",
        "CL-OBJ-04",
        generated("models/workflow_run.py", EXTRA, EXTRA.replace("factory=dict", "factory=dict, init=False")),
        operation="executeWorkflow",
    )
    yield defect(
        "source.shared",
        "shares lists and objects with the JSON that it was read from",
        "source shared",
        "CL-OBJ-05",
        generated("reading.py", COPIED, "        return value\n"),
    )
    yield defect(
        "execution_failed.output.shared",
        "shares a member with the JSON that it is written to",
        "source shared",
        "CL-OBJ-05",
        generated("models/execution_failed.py", 'member_to_json("output", self.output)', "self.output"),
        operation="getWorkflowVersionExecutionResults",
    )
    yield defect(
        "run_created.not-shown",
        "has results whose repr fails",
        "repr broken",
        "CL-OBJ-06",
        generated(
            "models/run_created.py",
            "    def to_dict(self)",
            "    def __repr__(self) -> str:\n        return self.label\n\n    def to_dict(self)",
        ),
        operation="runWorkflow",
    )
    yield defect(
        "run_created.items-beside-attributes",
        "keeps what is set by item assignment among the properties that the contract does not name",
        "value lost",
        "CL-OBJ-07",
        generated("models/run_created.py", "    def to_dict(self)", f"{ITEMS}    def to_dict(self)"),
        operation="runWorkflow",
    )


def _clients() -> Iterator[ClientDefect]:
    yield defect(
        "server.other",
        "knows another server than the contract's",
        "address changed",
        "CL-CLI-01",
        generated(
            "api/promptlayer/__init__.py", 'SERVER = "https://api.promptlayer.com"', 'SERVER = "https://localhost"'
        ),
    )
    yield defect(
        "headers.changed",
        "writes its own headers into the caller's",
        "argument changed",
        "CL-CLI-02",
        generated(
            "client.py",
            "        self._headers = _checked_headers(sent)\n",
            "        self._headers = _checked_headers(sent)\n"
            "        if sent.reveal() is not None:\n            sent.reveal()['user-agent'] = self._user_agent\n",
        ),
    )
    yield defect(
        "closed.foreign",
        "fails with a foreign exception once it has been closed",
        "error changed",
        "CL-CLI-03",
        generated("client.py", CLOSED, "        if False:\n"),
    )
    yield defect(
        "time-out.none",
        "waits for ever unless it is told not to",
        "time-out removed",
        "CL-CLI-04",
        generated("own_clients.py", TIMEOUT, "return httpx.Timeout(None)"),
    )
    yield defect(
        "key.absent",
        "sends a request without a key where one is needed",
        "header missing",
        "CL-SEC-04",
        generated(
            "operation.py",
            'raise BadArgument(f"expected {wanted(self.security)}, got {got}", field="api_key", operation=self.name)',
            "found = ()",
        ),
        client("settings.py", 'found_key = self._found("api_key", key, None)', "found_key = key"),
    )
