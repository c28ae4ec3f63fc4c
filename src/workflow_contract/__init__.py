"""
Reads an OpenAPI document that anybody may have written, within limits: for the generator and for the harness alike.

Nothing is fetched, and no file but the named one is opened. What would take the reader's time or memory without end is
refused in one line; a document of OpenAPI 3.0 is brought up to 3.1, so that a keyword means one thing everywhere::

    contract = read_contract(Path("openapi.yaml"))
    contract.document  # in the words of OpenAPI 3.1
    contract.notes     # what was made of it, each by JSON pointer: upgraded, read as meant, patterns not enforced
"""

from workflow_contract.as_meant import Remark
from workflow_contract.contract_file import ContractFile, read_contract
from workflow_contract.parameters import arguments, is_argument
from workflow_contract.reading import UnreadableError, read_file

__all__ = ["ContractFile", "Remark", "UnreadableError", "arguments", "is_argument", "read_contract", "read_file"]
