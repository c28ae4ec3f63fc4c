"""All seeded defects of servers: those drawn from the contract, then those made by hand."""

from functools import cache

from contract_tests.openapi.document import Contract
from contract_tests.runner.command_line import default_spec
from mutants.servers.drawn_replies import drawn_replies
from mutants.servers.drawn_requests import drawn_requests
from mutants.servers.fault import ServerDefect
from mutants.servers.made_callback import made_callback
from mutants.servers.made_execute import made_execute
from mutants.servers.made_results import made_results
from mutants.servers.made_run import made_run


@cache
def defects() -> tuple[ServerDefect, ...]:
    """Give them all, in a fixed order."""
    contract = Contract.load(default_spec())
    drawn = (*drawn_replies(contract), *drawn_requests(contract))
    made = (*made_run(), *made_results(), *made_callback(), *made_execute())
    found = (*drawn, *made)
    ids = [defect.id for defect in found]
    twins = {id_ for id_ in ids if ids.count(id_) > 1}
    if twins:
        raise ValueError(f"several defects have the ids {sorted(twins)}")
    return found


def defect(name: str) -> ServerDefect:
    """Give one by its id; KeyError if there is none."""
    return {one.id: one for one in defects()}[name]
