"""Kubernetes' errors, word for word.

An error is a `Status` object with a code and a reason. The server answers with it, the client raises it again as the
same class, and kubectl prints its message: so the texts are upstream's, to the letter.

Models: k8s.io/apimachinery/pkg/api/errors/errors.go, pkg/util/validation/field/errors.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from k8slab.apimachinery.rest import JsonObject


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason among several: a field, what kind of fault it has, and a sentence."""

    field: str
    reason: str
    """FieldValueRequired, FieldValueInvalid, FieldValueNotSupported, FieldValueDuplicate, FieldValueForbidden, ..."""
    message: str

    def to_json(self) -> JsonObject:
        """As it stands in `status.details.causes`."""
        return {k: v for k, v in {"reason": self.reason, "message": self.message, "field": self.field}.items() if v}


def required(path: str, detail: str = "") -> Cause:
    """A field is missing."""
    return Cause(path, "FieldValueRequired", "Required value" + (f": {detail}" if detail else ""))


def invalid(path: str, value: Any, detail: str) -> Cause:
    """A field has a value that the kind does not allow."""
    return Cause(path, "FieldValueInvalid", f"Invalid value: {_shown(value)}: {detail}")


def not_supported(path: str, value: Any, supported: Sequence[str]) -> Cause:
    """A field takes one of a few values, and this is none of them."""
    choices = ", ".join(f'"{choice}"' for choice in supported)
    return Cause(path, "FieldValueNotSupported", f"Unsupported value: {_shown(value)}: supported values: {choices}")


def forbidden(path: str, detail: str) -> Cause:
    """A field may not be set, or not be changed."""
    return Cause(path, "FieldValueForbidden", f"Forbidden: {detail}")


def duplicate(path: str, value: Any) -> Cause:
    """A list that must not repeat itself does."""
    return Cause(path, "FieldValueDuplicate", f"Duplicate value: {_shown(value)}")


def _shown(value: Any) -> str:
    """A value as Go's field errors print it."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (dict, list)):
        import orjson

        return orjson.dumps(value).decode()
    return str(value)


class ApiError(Exception):
    """A request failed; `status` is the Status object that says why."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        details: JsonObject | None = None,
        code: int | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": self.reason if reason is None else reason,
            "details": details or {},
            "code": self.code if code is None else code,
        }
        if not details:
            del self.status["details"]
        if not self.status["reason"]:
            del self.status["reason"]

    @property
    def message(self) -> str:
        """The sentence that kubectl prints."""
        return str(self.status.get("message", ""))

    @property
    def causes(self) -> list[JsonObject]:
        """The Status' causes, empty where it has none."""
        return list(self.status.get("details", {}).get("causes", []))

    @staticmethod
    def from_status(status: JsonObject) -> ApiError:
        """The error that a Status object describes, as the class of its reason."""
        kind = BY_REASON.get(status.get("reason", ""), ApiError)
        error = kind.__new__(kind)
        Exception.__init__(error, status.get("message", ""))
        error.status = status
        return error


class BadRequest(ApiError):
    """The request makes no sense: a body that does not parse, an option that does not exist."""

    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    """The server does not know who asks."""

    code, reason = 401, "Unauthorized"

    def __init__(self, message: str = "Unauthorized") -> None:
        super().__init__(message)


class Forbidden(ApiError):
    """The server knows who asks, and the answer is no."""

    code, reason = 403, "Forbidden"


class NotFound(ApiError):
    """There is no such object, or no such path."""

    code, reason = 404, "NotFound"

    @classmethod
    def named(cls, group: str, plural: str, name: str) -> NotFound:
        """`deployments.apps "web" not found`."""
        return cls(f'{qualified(plural, group)} "{name}" not found', details=_details(group, plural, name))

    @classmethod
    def path(cls) -> NotFound:
        """No resource is served there."""
        return cls("the server could not find the requested resource", details={})


class MethodNotAllowed(ApiError):
    """The path exists, the verb does not."""

    code, reason = 405, "MethodNotAllowed"

    @classmethod
    def verb(cls) -> MethodNotAllowed:
        """The sentence upstream uses for every resource."""
        return cls("the server does not allow this method on the requested resource", details={})


class NotAcceptable(ApiError):
    """None of the asked-for content types can be given."""

    code, reason = 406, "NotAcceptable"


class AlreadyExists(ApiError):
    """An object of that name is there."""

    code, reason = 409, "AlreadyExists"

    @classmethod
    def named(cls, group: str, plural: str, name: str) -> AlreadyExists:
        """`pods "web" already exists`."""
        return cls(f'{qualified(plural, group)} "{name}" already exists', details=_details(group, plural, name))


class Conflict(ApiError):
    """The object changed since it was read, or a precondition does not hold."""

    code, reason = 409, "Conflict"

    @classmethod
    def named(cls, group: str, plural: str, name: str, why: str) -> Conflict:
        """`Operation cannot be fulfilled on pods "web": ...`."""
        text = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
        return cls(text, details=_details(group, plural, name))

    @classmethod
    def modified(cls, group: str, plural: str, name: str) -> Conflict:
        """A stale resourceVersion."""
        why = "the object has been modified; please apply your changes to the latest version and try again"
        return cls.named(group, plural, name, why)


class Expired(ApiError):
    """The asked-for revision, or continue token, is too old. Code 410."""

    code, reason = 410, "Expired"


class Gone(ApiError):
    """It was there once."""

    code, reason = 410, "Gone"


class RequestEntityTooLarge(ApiError):
    """The body is larger than the server reads."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    """The body's content type is not one the server reads."""

    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    """The object was understood, and breaks the rules of its kind."""

    code, reason = 422, "Invalid"

    @classmethod
    def object(cls, kind: str, group: str, name: str, causes: Sequence[Cause]) -> Invalid:
        """`Pod "web" is invalid: spec.containers: Required value`; several causes stand in brackets."""
        texts = [f"{cause.field}: {cause.message}" for cause in causes]
        summary = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
        details: JsonObject = {"name": name, "group": group, "kind": kind}
        details = {k: v for k, v in details.items() if v} | {"causes": [cause.to_json() for cause in causes]}
        where = f"{kind}.{group}" if group else kind
        return cls(f'{where} "{name}" is invalid: {summary}', details=details)


class TooManyRequests(ApiError):
    """Not now: a disruption budget, or a rate limit."""

    code, reason = 429, "TooManyRequests"


class InternalError(ApiError):
    """A fault of the server itself."""

    code, reason = 500, "InternalError"


class ServiceUnavailable(ApiError):
    """Nobody answers at the moment."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):
    """The answer did not come in time."""

    code, reason = 504, "Timeout"


BY_REASON: dict[str, type[ApiError]] = {
    kind.reason: kind
    for kind in (
        BadRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, AlreadyExists, Conflict, Expired,
        Gone, RequestEntityTooLarge, UnsupportedMediaType, Invalid, TooManyRequests, InternalError, ServiceUnavailable,
        Timeout,
    )
}  # fmt: skip


def qualified(plural: str, group: str) -> str:
    """A resource as messages name it: `pods`, `deployments.apps`."""
    return f"{plural}.{group}" if group else plural


def _details(group: str, plural: str, name: str) -> JsonObject:
    return {key: value for key, value in (("name", name), ("group", group), ("kind", plural)) if value}
