"""How an answer is written down: compact JSON, JSON to be read by people, or YAML.

Programs get JSON without a space too much. Who asks with `?pretty=true`, or with a tool that shows answers as they come
(curl, wget, a browser), gets it indented; who accepts YAML before JSON gets that. Whatever the form, it says the same.

Models: k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go (isPrettyPrint),
k8s.io/apimachinery/pkg/runtime/serializer/json/json.go.
"""

from __future__ import annotations

import orjson
import yaml

from k8slab.apimachinery.rest import Request, Response

JSON, YAML = "application/json", "application/yaml"
BY_PEOPLE = ("curl", "Wget", "Mozilla/5.0")
"""How the User-Agent of a tool begins that shows answers as they come."""
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def written(request: Request, response: Response) -> Response:
    """The answer, in the form that its reader wants: mostly as it is."""
    if response.watch is not None or response.stream is not None or not response.content_type.startswith(JSON):
        return response
    if request.path.startswith("/openapi/"):  # for programs only, and large
        return response
    as_yaml = wants_yaml(request.headers.get("accept", "")) and response.content_type == JSON
    if not as_yaml and not wants_indents(request):
        return response
    content = response.object if response.object is not None else orjson.loads(response.body or b"null")
    if content is None:
        return response
    body = yaml.dump(content, Dumper=DUMPER, allow_unicode=True).encode() if as_yaml else _indented(content)
    kind = YAML if as_yaml else response.content_type
    return Response(response.code, body=body, content_type=kind, headers=response.headers)


def wants_indents(request: Request) -> bool:
    """What `?pretty` says; without it, whether a person is going to look."""
    if asked := request.param("pretty"):
        return asked in ("1", "t", "T", "true", "TRUE", "True")
    return request.headers.get("user-agent", "").startswith(BY_PEOPLE)


def wants_yaml(accept: str) -> bool:
    """Whether YAML comes before JSON in an Accept header."""
    for choice in accept.split(","):
        media, _, parameters = choice.partition(";")
        if media.strip() == YAML:
            return "as=" not in parameters
        if media.strip() in (JSON, "application/*", "*/*"):
            return False
    return False


def _indented(content: object) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)
