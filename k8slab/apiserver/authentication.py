"""Who asks.

A component in the same process says who it is: nobody else can reach the server that way. Over HTTPS a client certificate
that our authority signed says it: the common name is the user, the organizations are the groups. Everybody else is anonymous.

Models: k8s.io/apiserver/pkg/authentication/request/x509/x509.go, bearertoken/bearertoken.go.
"""

from __future__ import annotations

from dataclasses import replace

from k8slab.apimachinery.errors import Unauthorized
from k8slab.apimachinery.rest import ANONYMOUS, Request, UserInfo

AUTHENTICATED = "system:authenticated"


def authenticate(request: Request) -> UserInfo:
    """The user behind a request. Raises Unauthorized for a credential that is none: a wrong one is not anonymous."""
    if request.headers.get("authorization"):
        raise Unauthorized
    if request.user is None:
        return ANONYMOUS
    if AUTHENTICATED in request.user.groups or request.user == ANONYMOUS:
        return request.user
    return replace(request.user, groups=(*request.user.groups, AUTHENTICATED))
