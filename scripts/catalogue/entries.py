"""The defects of what openapi-python-client 0.29.1 writes, and which rule must find each on which operation.

Their numbers say where they lie: G in the generator, W on the wire, R in the reading of replies, M in models and in the
client object. Each stands in one of the contracts beside this file.
"""

from __future__ import annotations

from typing import NamedTuple

STOCK = ""
SHORT = "openapi-python-client-short"


class Finder(NamedTuple):
    """A finding that shows a defect.

    Attributes:
        rule: The rule's id; that of a side's rule decides which side is judged.
        operation: On which operation it is found, empty for the document as a whole.
        constraint: What its constraint begins with.
        adapter: How the package has to be driven; empty for the default.
    """

    rule: str
    operation: str
    constraint: str = ""
    adapter: str = STOCK


class Entry(NamedTuple):
    """A defect."""

    number: str
    title: str
    contract: str
    finders: tuple[Finder, ...]


def _entry(number: str, title: str, contract: str, *finders: Finder) -> Entry:
    return Entry(number, title, contract, finders)


_ROWS = "#/paths/~1open~1{isOpen}~1{since}~1{rows}/get/parameters"
_SEARCH = "#/paths/~1search/get/parameters"
_LOCALS = "#/paths/~1locals/get/parameters"

ENTRIES = (
    _entry("G1", "words that differ in capitals alone stop the generator", "g01", Finder("SPEC-13", "getGrade")),
    _entry(
        "G2", "a list of words and numbers is dropped, and the reply with it", "g02",
        Finder("CL-REP-01", "getSize", "200 UnexpectedStatus"), Finder("CL-REP-01", "getRate", "200 UnexpectedStatus"),
    ),
    _entry(
        "G3", "an operation with a text as body is dropped", "g03",
        Finder("SPEC-13", "addNote"), Finder("CL-REQ-01", "addNote", "unwritable"),
    ),
    _entry(
        "G4", "an operation with a header that is a list or a time is dropped", "g04",
        Finder("SPEC-13", "listOffers"), Finder("CL-REQ-01", "listBids", "unwritable"),
    ),
    _entry(
        "G5", "a parameter that is JSON is dropped without a word", "g05",
        Finder("SPEC-13", "findStalls", "#/paths/~1stalls/get/parameters/0"),
        Finder("CL-REQ-01", "findStalls", "#/paths/~1stalls/get/parameters/0"),
    ),
    _entry(
        "G6", "a query parameter called body beside a body is a syntax error", "g06",
        Finder("CL-PKG-01", ""), Finder("CL-REQ-01", "sendLetter", "SyntaxError"),
    ),
    _entry(
        "G7", "a body in two media types is a module that cannot be imported", "g07",
        Finder("CL-PKG-01", ""), Finder("CL-REQ-01", "placeOrder", "NameError"),
    ),
    _entry("G8", "an optional constant makes the compiler warn", "g08", Finder("CL-PKG-02", "")),
    _entry("G9", "type hints of a model that holds itself cannot be resolved", "g09", Finder("CL-PKG-03", "")),
    _entry(
        "G10", "servers and security of operations are ignored", "g10",
        Finder("CL-CLI-01", "getPrices", "servers"), Finder("CL-SEC-03", "getHours", "key"),
    ),
    _entry(
        "G11", "members with certain names break their model", "names",
        Finder("CL-REP-01", "getD"), Finder("CL-REP-01", "getFieldDict"), Finder("CL-REP-01", "getMethods"),
    ),
    _entry(
        "G12", "query parameters with certain names are sent without having been given", "names",
        Finder("CL-REQ-05", "findLocals", _LOCALS), Finder("CL-REQ-01", "findLocals"),
    ),
    _entry(
        "G13", "names that a dot or a dash alone tells apart are a syntax error, and drop their operation", "dotted",
        Finder("CL-PKG-01", ""), Finder("CL-REQ-01", "sendNamed", "SyntaxError"), Finder("SPEC-13", "findDotted"),
    ),
    _entry(
        "G14", "a union of objects that lie inside it needs a model that is not there", "strange",
        Finder("CL-PKG-01", ""), Finder("CL-REQ-01", "getEither", "unwritable"),
    ),
    _entry("W1", "a dot or two in a path lead to another path", "requests", Finder("CL-REQ-04", "getShelf")),
    _entry(
        "W2", "booleans, times and lists in a path are written as Python writes them", "requests",
        *(Finder("CL-REQ-03", "findRows", f"{_ROWS}/{index}") for index in range(3)),
    ),
    _entry(
        "W3", "styles of the query are ignored", "requests",
        *(Finder("CL-REQ-05", "search", f"{_SEARCH}/{index}") for index in range(4)),
    ),
    _entry("W4", "not-a-number goes out in the query", "requests", Finder("CL-REF-09", "search", f"{_SEARCH}/4")),
    _entry("W5", "defaults are sent", "requests", Finder("CL-REQ-09", "search", f"{_SEARCH}/5")),
    _entry("W6", "a body that is null is sent as no body", "requests", Finder("CL-REQ-08", "replaceGoods", "JSON")),
    _entry(
        "W7", "no body is sent with a media type", "requests", Finder("CL-REQ-08", "touchGoods", "no body")
    ),
    _entry(
        "W8", "a header that may be a number cannot be sent", "requests",
        Finder("CL-REQ-01", "getTraces", "#/paths/~1traces/get/parameters/0"),
    ),
    _entry(
        "W9", "a number as cookie cannot be sent, and a text ends its cookie", "requests",
        Finder("CL-REQ-01", "getBasket", "#/paths/~1baskets/get/parameters/0"),
        Finder("CL-REQ-10", "getBasket", "#/paths/~1baskets/get/parameters/1"),
    ),
    _entry(
        "W10", "forms hold Python's words for objects and booleans", "forms",
        Finder("CL-REQ-08", "sendForm", "#/components/schemas/Form/properties/place"),
        Finder("CL-REQ-08", "upload", "#/components/schemas/Upload/properties/agreed"),
    ),
    _entry(
        "W11", "a time without an offset is sent", "requests",
        Finder("CL-REF-08", "bookStay", "#/components/schemas/Stay/properties/from/format"),
    ),
    _entry(
        "W12", "members that a closed object does not allow are taken, and dropped", "requests",
        Finder("CL-REF-06", "saveSettings", "#/components/schemas/Settings/additionalProperties"),
    ),
    _entry(
        "W13", "not-a-number in a body is a foreign error of the HTTP library", "requests",
        Finder("CL-REF-10", "bookStay", "#/components/schemas/Stay/properties/extras"),
    ),
    _entry(
        "W14", "members that are read only are demanded of requests", "requests",
        Finder("CL-REQ-01", "openAccount", "unwritable"),
    ),
    _entry(
        "W15", "no constraint is checked before sending", "requests",
        Finder("CL-REF-01", "touchGoods"), Finder("CL-REF-03", "touchGoods"), Finder("CL-REF-04", "touchGoods"),
        Finder("CL-REF-06", "replaceGoods", "#/components/schemas/Goods/not"),
    ),
    _entry("W16", "the query that a path has is not sent", "strange", Finder("CL-REQ-05", "findBeta", "the path")),
    _entry(
        "R1", "a status that Python has no name for is a foreign error", "replies",
        Finder("CL-BRK-07", "getPet", "520 status"), Finder("CL-REP-04", "getThing", "520 ValueError"),
    ),
    _entry(
        "R2", "a page in the place of JSON is a foreign error, and the status is lost", "replies",
        Finder("CL-BRK-03", "getThing", "400 not JSON"), Finder("CL-BRK-05", "getThing", "200 empty"),
    ),
    _entry(
        "R3", "what the contract does not say is a foreign error, and the reply is lost", "replies",
        Finder("CL-BRK-01", "getThing"), Finder("CL-REP-06", "getThing"),
    ),
    _entry("R4", "types of plain values are not checked", "replies", Finder("CL-BRK-02", "getThing")),
    _entry(
        "R5", "the first alternative wins whose required members are there", "replies",
        Finder("CL-REP-07", "getCheck"), Finder("CL-REP-02", "getCheck", "200 Told"),
    ),
    _entry("R6", "discriminators are ignored", "replies", Finder("CL-REP-07", "getPet"), Finder("CL-REP-02", "getPet")),
    _entry(
        "R7", "of two closed objects the first one wins, and the data is lost", "replies",
        Finder("CL-REP-01", "getWay", "200 #/components/schemas/BySea"),
    ),
    _entry(
        "R8", "a list of texts is taken for a list of objects", "replies",
        Finder("CL-REP-01", "getCrowd", "200 Response"),
    ),
    _entry(
        "R9", "true is taken for 1", "replies",
        Finder("CL-REP-01", "getCrowd", "200 #/components/schemas/Crowd/properties/isOpen"),
    ),
    _entry(
        "R10", "texts that look like times or ids are rewritten", "replies",
        Finder("CL-REP-01", "getTimes", "200 #/components/schemas/Times/properties/about"),
        Finder("CL-REP-01", "getTimes", "200 #/components/schemas/Times/properties/key"),
    ),
    _entry(
        "R11", "times lose their spelling and their nanoseconds, or are foreign errors", "replies",
        Finder("CL-REP-08", "getTimes", "200 #/components/schemas/Times/properties/at"),
    ),
    _entry(
        "R12", "any JSON is taken for an object that it is not", "replies",
        Finder("CL-REP-02", "getOutputs", "200 not Outputs"),
    ),
    _entry("R13", "only one of several media types is read", "r13", Finder("CL-REP-01", "getTable")),
    _entry(
        "R14", "nothing, null and errors are given alike", "replies",
        Finder("CL-REP-03", "getMaybe", "200 and 204", SHORT), Finder("CL-REP-04", "getMaybe", "404 status", SHORT),
    ),
    _entry(
        "R15", "deep nesting is a foreign error", "replies", Finder("CL-BRK-09", "getTree", "200 deep and legal")
    ),
    _entry(
        "R16", "members with names of four bytes are never read", "strange",
        Finder("CL-REP-01", "getAstral", "200 UnexpectedStatus"),
    ),
    _entry(
        "R17", "replies whose media type has parameters are never read", "strange",
        Finder("CL-REP-01", "putTyped", "200 UnexpectedStatus"),
    ),
    _entry(
        "M1", "copies hold what is no JSON", "replies", Finder("CL-OBJ-01", "getThing"), Finder("CL-OBJ-02", "getThing")
    ),
    _entry("M2", "evolve drops unknown members", "replies", Finder("CL-OBJ-04", "getThing", "evolve Thing")),
    _entry("M3", "a member that is set by its name is ignored", "replies", Finder("CL-OBJ-07", "getThing", "items")),
    _entry("M4", "models and JSON share lists and objects", "replies", Finder("CL-OBJ-05", "getThing")),
    _entry(
        "M5", "a member of the wrong type is taken, and then cannot be written", "replies",
        Finder("CL-OBJ-07", "getThing", "odd items"),
    ),
    _entry(
        "M6", "the client shows its key, and writes it into the caller's headers", "requests",
        Finder("CL-SEC-02", "getShelf"), Finder("CL-CLI-02", "getShelf"),
    ),
    _entry(
        "M7", "there is no time-out, and a closed client is a riddle", "requests",
        Finder("CL-CLI-04", "getShelf"), Finder("CL-CLI-03", "getShelf"),
    ),
    _entry("M8", "what needs the key is called without one", "requests", Finder("CL-SEC-04", "getShelf")),
)  # fmt: skip
