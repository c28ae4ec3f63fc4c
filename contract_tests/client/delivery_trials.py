"""Plays deliveries: what the client's parser and its application make of what is posted to them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contract_tests.cases.deliveries import Delivery, Post
from contract_tests.client.session import ClientSession
from contract_tests.rules import NotApplicable, Violation

TIMEOUT: Final = 120.0


@dataclass(frozen=True)
class DeliveryTrial:
    """
    A delivery, and what the client made of it.

    Attributes:
        parsed: What its parser made of it: ``json``, ``unreadable``, or ``error`` with ``own`` and ``text``; None if
            it was not asked.
        status: What its application answered, or what it let through; None if there is none.
        events: What its application handed on; None if there is none.
        tells: Whether the refusal says what a forger wants to know.
        number: How many cases had been played when it was, itself included.
    """

    delivery: Delivery
    post: Post
    number: int
    parsed: Mapping[str, Any] | None
    status: int | str | None
    events: list[Mapping[str, Any]] | None
    tells: bool

    def violation(self, constraint: str, received: str, documented: str = "") -> Violation:
        """Return what of a rule was broken, and what was seen instead of what is documented."""
        return Violation(received, f"{self.delivery.name} {constraint}", documented, found_after=self.number)


class DeliveryTrials:
    """What is posted to the client's receiver of one callback or webhook."""

    def __init__(self, session: ClientSession, delivery: Delivery) -> None:
        self.book, self.contract, self.delivery = session.book, session.book.contract, delivery
        self.schema = delivery.media.schema or "#"
        self._session = session

    def legal_posts(self) -> list[Post]:
        """Return legal deliveries."""
        return self.book.legal_posts(self.delivery)

    def broken_posts(self) -> list[Post]:
        """Return deliveries that break the contract in one way each."""
        return self.book.broken_posts(self.delivery)

    def proofs(self) -> list[str]:
        """Return the kinds of proof of a sender that can be missing; raises NotApplicable if there are none."""
        proofs: list[str] = self._ask([])["proofs"]
        if not proofs:
            raise NotApplicable("neither a signature nor the address proves the sender of this delivery")
        return proofs

    def deliver(self, *posts: Post) -> list[DeliveryTrial]:
        """
        Post to one receiver of the client's, in order.

        Raises NotApplicable if the client does not claim to receive these.
        """
        first = self._session.count(len(posts))
        taken = self._ask([post.to_message() for post in posts], timeout=TIMEOUT)["taken"]
        return [
            DeliveryTrial(self.delivery, post, first + index, **said)
            for index, (post, said) in enumerate(zip(posts, taken, strict=True))
        ]

    def deliver_together(self, *posts: Post) -> tuple[list[int | str], list[Any]]:
        """
        Post to one receiver of the client's at the same time; return the statuses and what was handed on.

        Raises NotApplicable if the client has no application.
        """
        self._session.count(len(posts))
        said = self._ask([post.to_message() for post in posts], timeout=TIMEOUT, together=True)
        if said["events"] is None:
            raise NotApplicable("the client has no application that deliveries could be made to")
        return said["statuses"], said["events"]

    def listened(self, *steps: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """
        Do steps with a listener of the client's, see :func:`~contract_tests.client.driver.listening.play_steps`.

        Raises NotApplicable if the client has none.
        """
        self._session.count(len(steps))
        answer = self._session.subject.ask("listen", delivery=self.delivery.name, steps=list(steps), timeout=TIMEOUT)
        if answer["kind"] != "listened":
            raise NotApplicable(f"not claimed: {answer['reason']}")
        told: list[Mapping[str, Any]] = answer["steps"]
        return told

    def each(self, posts: Iterable[Post]) -> Iterator[DeliveryTrial]:
        """Post each to a receiver that has seen nothing else."""
        for post in posts:
            yield from self.deliver(post)

    def _ask(self, posts: list[dict[str, Any]], **more: Any) -> Mapping[str, Any]:
        answer = self._session.subject.ask("receive", delivery=self.delivery.name, posts=posts, **more)
        if answer["kind"] != "received":
            raise NotApplicable(f"not claimed: {answer['reason']}")
        return answer
