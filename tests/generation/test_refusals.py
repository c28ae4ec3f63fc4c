"""What would be sent or read otherwise than the contract says is refused by name, with exit status 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from growing import Generated, contract
from refused_constructs import SAID
from runs import IN_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("construct", SAID)
def test_a_construct_is_refused_by_name(construct: str, grown: Callable[[str], Generated]) -> None:
    """Each is in a line with its place and the reason; nothing is written."""
    place, words = SAID[construct]
    output = grown("refused").refused()
    lines = [line for line in output.splitlines() if place in line]
    assert any(words in line for line in lines), "\n".join(lines) or f"nothing is said of {place}"
    assert not grown("refused").folder.exists()


def test_nothing_else_is_refused(grown: Callable[[str], Generated]) -> None:
    """A refusal hits what it means and nothing beside it."""
    places = [place for place, _ in SAID.values()]
    lines = [line.strip() for line in grown("refused").refused().splitlines() if line.strip().startswith("#/")]
    assert lines
    for line in lines:
        assert any(line.startswith(place) for place in places), line


@pytest.mark.parametrize("name", IN_WORDS)
def test_what_can_not_be_generated_ends_in_words(name: str, grown: Callable[[str], Generated]) -> None:
    """Exit status 2 and a line that names the culprit: never a traceback, and never a package that is wrong."""
    assert IN_WORDS[name][1] in grown(name).refused()


def test_a_strange_tag_is_told_with_the_services_there_are(grown: Callable[[str], Generated]) -> None:
    """The refusal says which tags would do."""
    assert "promptlayer, interactly" in grown("a strange tag").refused()


@pytest.mark.parametrize("option", ["--contract", "--config"])
def test_a_missing_file_is_told(option: str, grown: Callable[[str], Generated]) -> None:
    """A path that leads nowhere is exit status 2, not a stale package."""
    assert "none.yaml" in grown(f"missing {option}").refused()


def test_without_the_generator_its_command_is_told(grown: Callable[[str], Generated]) -> None:
    """A package that isn't installed is named, with what installs it."""
    assert "pip install" in grown("without the generator").refused()


def test_callbacks_and_links_are_not_refused(grown: Callable[[str], Generated]) -> None:
    """Our own contract has them, and passes."""
    run = contract()["paths"]["/workflows/{workflow_name}/run"]["post"]
    assert run["callbacks"]
    assert run["responses"]["201"]["links"]
    assert grown("fresh").status == 0
