"""All seeded defects of servers: those derived from the contract, then those written by hand."""

from functools import cache

from contract_tests.openapi.document import Contract
from contract_tests.runner.command_line import default_spec
from mutants.servers.derived_replies import derived_replies
from mutants.servers.derived_requests import derived_requests
from mutants.servers.fault import ServerDefect
from mutants.servers.handwritten_callback import handwritten_callback
from mutants.servers.handwritten_execute import handwritten_execute
from mutants.servers.handwritten_growth import handwritten_growth
from mutants.servers.handwritten_histories import handwritten_histories
from mutants.servers.handwritten_interactly import handwritten_interactly
from mutants.servers.handwritten_relations import handwritten_relations
from mutants.servers.handwritten_results import handwritten_results
from mutants.servers.handwritten_run import handwritten_run
from mutants.servers.handwritten_told import handwritten_told
from mutants.servers.handwritten_workflows import handwritten_workflows


@cache
def defects() -> tuple[ServerDefect, ...]:
    """Give them all, in a fixed order."""
    contract = Contract.load(default_spec())
    derived = (*derived_replies(contract), *derived_requests(contract))
    handwritten = (*handwritten_run(), *handwritten_results(), *handwritten_callback(), *handwritten_execute())
    related = (*handwritten_relations(), *handwritten_histories(), *handwritten_growth(), *handwritten_told())
    found = (*derived, *handwritten, *handwritten_workflows(), *related, *handwritten_interactly())
    ids = [defect.id for defect in found]
    twins = {id_ for id_ in ids if ids.count(id_) > 1}
    if twins:
        raise ValueError(f"several defects have the ids {sorted(twins)}")
    return found


def defect(name: str) -> ServerDefect:
    """Give one by its id; KeyError if there is none."""
    return {one.id: one for one in defects()}[name]
