"""What a client may ask of a list or a watch, besides selectors: ListOptions, read from the query and checked.

Options that exclude each other are a 422 that names all of them; what cannot be read at all is a 400.

A continue token remembers the revision of a list's first piece and the key to go on from. `-1` in the place of the revision
means: whatever is newest, even if the pieces do not make one picture then.

Models: k8s.io/apimachinery/pkg/apis/meta/internalversion (types.go, defaults.go, validation/validation.go),
k8s.io/apiserver/pkg/storage/continue.go.
"""

from __future__ import annotations

import base64
import posixpath
import re
from dataclasses import dataclass
from typing import Any

import orjson

from k8slab.apimachinery.decoding_faults import go_kind, json_fault
from k8slab.apimachinery.errors import BadRequest, Cause, Invalid, forbidden, not_supported
from k8slab.apimachinery.rest import Request

EXACT, NOT_OLDER_THAN = "Exact", "NotOlderThan"
MATCH = "resourceVersionMatch"
INCONSISTENT = -1
TOKEN_VERSION = "meta.k8s.io/v1"
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The options of one list or watch."""

    limit: int = 0
    """How many objects at most; 0: all."""
    token: str = ""
    """The continue token, as the client sent it."""
    resource_version: str = ""
    match: str = ""
    initial_events: bool | None = None
    """`sendInitialEvents`; None: the client does not say."""
    bookmarks: bool = False
    timeout: int = 0

    @property
    def revision(self) -> int:
        """The revision asked for; 0 for none, or any. Raises BadRequest."""
        return parse_version(self.resource_version)


def read_list_options(request: Request, watch: bool = False) -> ListOptions:
    """The options of a request. Raises BadRequest, Invalid."""
    initial_events = request.flag("sendInitialEvents") if "sendInitialEvents" in request.query else None
    version, match = request.param("resourceVersion"), request.param(MATCH)
    if watch and initial_events is None and not match and version in ("", "0"):
        # The old way to ask for the same: a watch from nowhere begins with what there is.
        initial_events, match = True, NOT_OLDER_THAN
    options = ListOptions(
        limit=whole_number(request, "limit"),
        token=request.param("continue"),
        resource_version=version,
        match=match,
        initial_events=initial_events,
        bookmarks=request.flag("allowWatchBookmarks"),
        timeout=whole_number(request, "timeoutSeconds"),
    )
    causes = _watch_causes(options) if watch else _list_causes(options)
    if causes:
        raise Invalid.object("ListOptions", "meta.k8s.io", "", causes)
    return options


def _list_causes(options: ListOptions) -> list[Cause]:
    match = options.match
    causes = []
    if match:
        if not options.resource_version:
            causes.append(forbidden(MATCH, f"{MATCH} is forbidden unless resourceVersion is provided"))
        if options.token:
            causes.append(forbidden(MATCH, f"{MATCH} is forbidden when continue is provided"))
        if match not in (EXACT, NOT_OLDER_THAN):
            causes.append(not_supported(MATCH, match, (EXACT, NOT_OLDER_THAN, "")))
        if match == EXACT and options.resource_version == "0":
            causes.append(forbidden(MATCH, f'{MATCH} "exact" is forbidden for resourceVersion "0"'))
    if options.initial_events is not None:
        causes.append(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return causes


def _watch_causes(options: ListOptions) -> list[Cause]:
    match = options.match
    causes = []
    if options.initial_events is not None and match != NOT_OLDER_THAN:
        causes.append(forbidden(MATCH, f"sendInitialEvents requires setting {MATCH} to {NOT_OLDER_THAN}"))
    if match:
        if options.initial_events is None:
            causes.append(forbidden(MATCH, f"{MATCH} is forbidden for watch unless sendInitialEvents is provided"))
        if match != NOT_OLDER_THAN:
            causes.append(not_supported(MATCH, match, (NOT_OLDER_THAN,)))
        if options.token:
            causes.append(forbidden(MATCH, f"{MATCH} is forbidden when continue is provided"))
    return causes


def parse_version(text: str) -> int:
    """A resourceVersion as a revision. Raises BadRequest."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        fault = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise BadRequest(f'invalid resource version: resourceVersion: Invalid value: "{text}": {fault}')
    return int(text)


def whole_number(request: Request, name: str) -> int:
    """A number of the query, 0 if it is not given. Raises BadRequest."""
    text = request.param(name)
    if not text:
        return 0
    try:
        return max(0, int(text))
    except ValueError:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


# Continue tokens.


def encode_continue(revision: int, start: str) -> str:
    """The token of a list at `revision` that goes on from the key `start`, relative to the list's prefix."""
    content = {"v": TOKEN_VERSION, "rv": revision, "start": start}
    return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()


def decode_continue(token: str) -> tuple[int, str]:
    """(revision, start) of a token. Raises BadRequest."""
    fault, content = "", _json_of(token)
    if isinstance(content, str):
        fault = f": {content}"
    else:
        version, revision, start = content.get("v", ""), content.get("rv", 0), content.get("start", "")
        if version != TOKEN_VERSION:
            fault = f": server does not recognize this encoded version {version}"
        elif not isinstance(revision, int) or not revision:
            fault = f": incorrect encoded start resourceVersion (version {TOKEN_VERSION})"
        elif not isinstance(start, str) or not start:
            fault = f": encoded start key empty (version {TOKEN_VERSION})"
        elif posixpath.normpath("/" + start.removeprefix("/")) != "/" + start.removeprefix("/"):
            # A start of `../secrets/` would lead out of what the client may list.
            fault = f": {start}"
        else:
            return revision, start.removeprefix("/")
    raise BadRequest(f"invalid continue token: continue key is not valid{fault}")


def _json_of(token: str) -> dict[str, Any] | str:
    """The object in a token, or what is wrong with it in Go's words."""
    wrong = _NOT_BASE64.search(token)
    if wrong or len(token) % 4 == 1:
        return f"illegal base64 data at input byte {wrong.start() if wrong else len(token)}"
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    try:
        content = orjson.loads(raw)
    except ValueError as fault:
        return json_fault(raw, fault)
    if isinstance(content, dict):
        return content
    return f"json: cannot unmarshal {go_kind(content)} into Go value of type storage.continueToken"
