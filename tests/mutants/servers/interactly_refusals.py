"""Faults of Interactly's runs in what is no turn, is refused, or is for something that is not there."""

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mutants.servers.fault import Correct, Fault
from mutants.servers.interactly_faults import (
    CONFLICT,
    command_of,
    commanded,
    input_of,
    put_input,
    refusal,
    run_in,
    shown_in,
)
from mutants.servers.messages import EXECUTE, NOT_FOUND, OK, READ_RUN, Reply, Request

THREADS = "thread_to_node_inputs"


def counted_by_events(turn: dict[str, Any], _: str, kept: dict[str, Any]) -> dict[str, Any]:
    """Count the turns in which something has happened."""
    kept["number"] = kept.get("number", 0) + bool(turn["events"])
    return {"turn_number": kept["number"]}


@dataclass
class RefusedCounted(Fault):
    """Counts refused commands as turns."""

    _refused: dict[str, int] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Count them, and add them."""
        run = commanded(request)
        if run and reply.status == CONFLICT:
            self._refused[run] = self._refused.get(run, 0) + 1
        if run in self._refused and "turn_number" in reply.members:
            reply.put({**reply.members, "turn_number": reply.members["turn_number"] + self._refused[run]})


@dataclass
class RefusedChanged(Fault):
    """Takes a refused command for a change."""

    _changed: dict[str, str] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Keep when it came, until one is taken, and show that."""
        run = commanded(request)
        if run and reply.status == CONFLICT:
            self._changed[run] = datetime.now(UTC).isoformat()
        elif run and reply.status == OK:
            self._changed.pop(run, None)
        read = str(run_in(reply).get("workflow_run_id")) if request.operation == READ_RUN else ""
        if read in self._changed:
            reply.put({"workflow_run": {**reply.members["workflow_run"], "updated_at": self._changed[read]}})


@dataclass
class FirstThread(Fault):
    """Takes the inputs of the first thread alone."""

    def change_request(self, request: Request) -> None:
        """Leave out those of others."""
        given = input_of(request).get(THREADS)
        if command_of(request) == "data" and isinstance(given, dict) and len(given) > 1:
            put_input(request, {THREADS: dict([*given.items()][:1])})


@dataclass
class UnknownStarted(Fault):
    """Starts a run where a command names none that it knows."""

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Start it instead of saying that there is none."""
        reply = await correct.ask(request)
        if commanded(request) and reply.status == NOT_FOUND:
            begun = copy.deepcopy(request)
            begun.put({name: one for name, one in request.members.items() if name not in {"workflow_run_id", "run_id"}})
            put_input(begun, {"command": "start"})
            return await correct.ask(begun)
        return reply


@dataclass
class UnknownInConflict(Fault):
    """Answers a turn of a run that it does not know as one whose status is in the way."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Say so."""
        if "run_input" in request.members and commanded(request) and reply.status == NOT_FOUND:
            reply.status, reply.content = CONFLICT, refusal(CONFLICT).content


@dataclass
class PausedNotStopped(Fault):
    """Says of a paused run that it is cancelled, and leaves it paused."""

    _paused: set[str] = field(default_factory=set, init=False)

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Take the pause back before what is answered, and put it back."""
        if request.operation != EXECUTE or command_of(request) != "stop" or commanded(request) not in self._paused:
            reply = await correct.ask(request)
            if shown_in(reply):
                is_paused = reply.members.get("status") == "paused"
                (self._paused.add if is_paused else self._paused.discard)(shown_in(reply))
            return reply
        like = copy.deepcopy(request)
        put_input(like, {"command": "resume"})
        await correct.ask(like)
        put_input(like, {"command": "pause"})
        reply = await correct.ask(like)
        if reply.status == OK:
            reply.put(
                {**reply.members, "status": "cancelled"} | ({"is_completed": True} if "run_id" in reply.members else {})
            )
        return reply


@dataclass
class OutputsOfSortedThreads(Fault):
    """Shows outputs in the order in which the threads came, under the threads in the order of their ids."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Show them so where several threads have outputs."""
        read = run_in(reply) if request.operation == READ_RUN else {}
        for pair in read.get("input_output_pairs") or ():
            outputs = pair["run_output"]["thread_to_node_outputs"]
            pair["run_output"]["thread_to_node_outputs"] = dict(zip(sorted(outputs), outputs.values(), strict=True))
        if read:
            reply.put({"workflow_run": {**reply.members["workflow_run"], "workflow_run": read}})


@dataclass
class FormOfTheStart(Fault):
    """Answers commands in the form in which a run was started."""

    _starts: dict[str, tuple[bool, dict[str, Any]]] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put the response to the start, with the status of now."""
        is_turn, run = "run_input" in request.members, commanded(request)
        if shown_in(reply) and not run:
            self._starts[shown_in(reply)] = (is_turn, reply.members)
        was_turn, first = self._starts.get(run, (is_turn, {}))
        if reply.status == OK and was_turn is not is_turn:
            reply.put({**first, "status": reply.members["status"]})
