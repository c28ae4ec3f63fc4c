"""What stands for a model: the reply to the prompt of a node.

A table of cases comes first, then a function of the test or whatever listens at a URL. Without either, the prompt
itself is the reply, so that a run's output can be foretold.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from workflow_sandbox import json_text
from workflow_sandbox.node_types import NodeFailed
from workflow_sandbox.prompt import Prompt

Ask = Callable[[Prompt], Awaitable[Any]]
"""Replies to a prompt."""

_SECONDS = 300


@dataclass(frozen=True)
class Case:
    """One line of the table. What is None fits anything.

    Attributes:
        prompt: The whole text of the prompt.
        prompt_contains: A part of it.
        orders: `{"return": VALUE}` or `{"fail": WORDS}`.
    """

    workflow: str | None
    node: str | None
    prompt: str | None
    prompt_contains: str | None
    orders: Mapping[str, Any]

    def fits(self, prompt: Prompt) -> bool:
        """Return whether this is the reply to a prompt."""
        return (
            self.workflow in {None, prompt.workflow}
            and self.node in {None, prompt.node}
            and self.prompt in {None, prompt.text}
            and (self.prompt_contains or "") in prompt.text
        )


class Answers:
    """Replies to prompts."""

    def __init__(self, cases: Sequence[Case] = (), ask: Ask | None = None) -> None:
        self._cases = cases
        self._ask = ask

    @property
    def take_time(self) -> bool:
        """Whether somebody is asked, so that a run can be seen to wait for the reply."""
        return self._ask is not None

    async def reply(self, prompt: Prompt) -> Any:
        """Return the reply to a prompt.

        Raises:
            NodeFailed: The case that fits says so, or whoever was asked.
        """
        for case in self._cases:
            if case.fits(prompt):
                if "fail" in case.orders:
                    raise NodeFailed(case.orders["fail"])
                return case.orders["return"]
        return prompt.text if self._ask is None else await self._ask(prompt)


def calling(function: Callable[[Prompt], Any]) -> Ask:
    """Return what calls a function with each prompt, on a thread of its own since it may take its time."""

    async def ask(prompt: Prompt) -> Any:
        reply = await asyncio.to_thread(function, prompt)
        json_text.encode(reply)  # what is no JSON fails here, where it is the node's failure
        return reply

    return ask


def asking(url: str) -> Ask:
    """Return what posts prompts to a URL, where `{"value": VALUE}` or `{"error": WORDS}` is the reply."""

    async def ask(prompt: Prompt) -> Any:
        content = json_text.encode(asdict(prompt))
        headers = {"content-type": "application/json"}
        async with httpx.AsyncClient(verify=url.startswith("https:"), trust_env=False, timeout=_SECONDS) as client:
            reply = (await client.post(url, content=content, headers=headers)).content
        match json_text.decode(reply.decode("utf-8")):
            case {"error": str(words)}:
                raise NodeFailed(words)
            case {"value": value}:
                return value
        raise NodeFailed("what was asked for a reply gave neither value nor error")

    return ask
