"""One contract with every construct that has to be refused, each in a place of its own."""

from __future__ import annotations

from typing import Any

from growing import JSON, TEXT, add, answer, parameter, small

from workflow_runs import AsyncInteractly, AsyncPromptLayer, Interactly, PromptLayer
from workflow_runs_api.api.interactly import InteractlyOperations
from workflow_runs_api.api.promptlayer import PromptLayerOperations

DOCUMENT = small(
    Told={"oneOf": [{"type": "object"}, TEXT], "discriminator": {"propertyName": "kind"}},
)
# By construct: the place that the refusal names, and words that it uses.
SAID: dict[str, tuple[str, str]] = {
    "discriminator": ("#/components/schemas/Told", "discriminator"),
}


def _refuse(name: str, words: str, **more: Any) -> dict[str, Any]:
    path = more.pop("path", "/" + name.replace(" ", "-"))
    SAID[name] = (f"#/paths/{path.replace('/', '~1').replace(chr(10), chr(92) + 'n')}", words)
    title = "op" + "".join(word.capitalize() for word in name.split())
    return add(DOCUMENT, "post", path, more.pop("operation_id", title), **more)


def _names_of_the_clients() -> set[str]:
    clients = (PromptLayer, AsyncPromptLayer, Interactly, AsyncInteractly)
    operations = {name for kind in (PromptLayerOperations, InteractlyOperations) for name in vars(kind)}
    return {name for kind in clients for name in dir(kind) if not name.startswith("_")} - operations


def _names() -> None:
    add(DOCUMENT, "post", "/first", "opSame")
    _refuse("no id", "operationId", operation_id=None)
    _refuse("same name", "op_same", operation_id="op_same")
    # Methods of these names would take the place of the client's own, or be hidden behind them.
    for name in ("withOptions", "baseUrl", *sorted(_names_of_the_clients())):
        _refuse(f"method {name}", f"{name}: its method would be called", operation_id=name)
    _refuse("no tag", "(opNoTag): it has no tag", tags=[])
    _refuse("other tag", "(opOtherTag): its first tag is 'elsewhere'", tags=["elsewhere", "promptlayer"])


def _addresses() -> None:
    _refuse("other server", "one base URL", servers=[{"url": "https://elsewhere.example"}])
    for name, url in (("variables", "https://{region}.example.com"), ("relative", "/v1")):
        DOCUMENT["tags"].append({"name": name})
        server = {"url": url, "variables": {"region": {"default": "eu"}}}
        _refuse(f"server {name}", url, tags=[name], servers=[server])


def _credentials() -> None:
    DOCUMENT["components"]["securitySchemes"] |= {
        "digest": {"type": "http", "scheme": "digest"},
        "badly named": {"type": "apiKey", "in": "header", "name": "X Y"},
        "nameless": {"type": "apiKey"},
        "wordless": {"type": "http"},
        "elsewhere": {"type": "apiKey", "in": "body", "name": "key"},
        "strange": {"type": "token"},
    }
    for name, words in (
        ("nameless", "no in and no name"),
        ("wordless", "no scheme, which"),
        ("elsewhere", "not into 'body'"),
        ("strange", "'token' is no type"),
    ):
        _refuse(f"key {name}", words, security=[{name: []}])
    _refuse("key by digest", "only basic and bearer", security=[{"digest": []}])
    _refuse("key by both", "only basic and bearer", security=[{"promptLayerKey": [], "digest": []}])
    _refuse("key named badly", "no name for a header", security=[{"badly named": []}])


def _parameters() -> None:
    content = {"in": "query", "name": "q", "content": {JSON: {"schema": TEXT}}}
    _refuse("parameter content", "`content`", parameters=[content])
    again = [parameter("query", "q", TEXT), parameter("query", "q", {"type": "integer"})]
    _refuse("parameter again", "declared again, and otherwise", parameters=again)
    for style in ("matrix", "label"):
        styled = parameter("path", "p", TEXT, style=style)
        _refuse(f"parameter {style}", f"style {style}", path=f"/{style}/{{p}}", parameters=[styled])
    for name, words, more in (
        ("reserved", "allowReserved", {"schema": TEXT, "allowReserved": True}),
        ("keyword", "unevaluatedItems", {"schema": {"type": "array", "items": TEXT, "unevaluatedItems": False}}),
        ("pattern", "\\p{Lu}", {"schema": {"type": "string", "pattern": "\\p{Lu}"}}),
    ):
        _refuse(f"parameter {name}", words, parameters=[{"in": "query", "name": "q", **more}])


def _retries() -> None:
    _refuse("retry", "not one of safe, not_sent_only")["x-retry"] = "sometimes"
    _refuse("same form", "each a oneOf of as many objects")["x-same-form"] = True


def _bodies() -> None:
    keywords = {
        "if": {"type": "object"},
        "unevaluatedProperties": False,
        "$dynamicRef": "#x",
    }
    for keyword, value in keywords.items():
        deep = {"type": "object", "properties": {"deep": {"items": {keyword: value}}}}
        _refuse(f"body {keyword}", keyword, body=deep)
    _refuse("body pattern", "(?<n>", body={"type": "object", "patternProperties": {"(?<n>a)": TEXT}})


def _texts() -> None:
    for name, media_type in (
        ("no media type", "json"),
        ("open quote", 'application/json; a="'),
        ("code", "application/json, *[exit()]"),
        ("line feed", "application/json\n"),
        ("other charset", "application/json; charset=utf-16"),
    ):
        words = "charset" if "charset" in media_type else "no media type"
        _refuse(f"reply {name}", words, responses={"200": answer(TEXT, media_type)})
        _refuse(f"sent {name}", words)["requestBody"] = {"content": {media_type: {"schema": TEXT}}}
    _refuse("reply unread", "it has no end", responses={"200": answer(TEXT, "text/event-stream")})
    for status in ("2xx", "20", "2_0", "\u0662\u0660\u0660", "600", "Default"):
        _refuse(f"status {status}", "no status", responses={status: {"description": "Told."}})
    for place, name in (("header", "X Y"), ("header", "X\r\nY"), ("cookie", "a;b"), ("cookie", "a=b")):
        _refuse(f"{place} {len(SAID)}", f"no name that a {place}", parameters=[parameter(place, name, TEXT)])
    for path, words in (
        ("/f#x", "fragment"), ("/a/../b", "steps"), ("/./c", "steps"), ("/d\n", "printed"), ("/e{", "brace"),
        ("g", "begins"),
    ):  # fmt: skip
        _refuse(f"path {len(SAID)}", words, path=path)
    _refuse("not in path", "has no place in the path", parameters=[parameter("path", "gone", TEXT)])
    for url in ("https://[", "https://e.example/?q=1", "https://e .example", "https://e.example/\n"):
        DOCUMENT["tags"].append({"name": url})
        _refuse(f"address {len(SAID)}", "absolute http or https", tags=[url], servers=[{"url": url}])


for _part in (_names, _addresses, _credentials, _parameters, _bodies, _retries, _texts):
    _part()
