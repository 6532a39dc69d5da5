"""Where the dashboard of a running cluster is.

The process that runs the cluster wrote it into its profile's state, token included. A further port, such as one that an SSH
tunnel leads to, is asked for at the dashboard itself. k8slab's own; what it does is minikube's `minikube dashboard --url`.
"""

from __future__ import annotations

from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from k8slab.cli.profile import ProfileError, State

ANSWER_WITHIN = 10.0
TOKEN = "token="


def dashboard_url(state: State, port: int = 0) -> str:
    """The address to open. `port`: have it listen there, too. Raises ProfileError, with what to do, where that cannot be."""
    if not state.dashboard:
        raise ProfileError("this cluster was started by a k8slab without a dashboard; stop it and start it again")
    parts = urlsplit(state.dashboard)
    if port in (0, parts.port):
        return state.dashboard
    request = Request(
        f"http://{parts.netloc}/ports/{port}",
        method="POST",
        headers={"Authorization": f"Bearer {parts.fragment.removeprefix(TOKEN)}"},
    )
    try:
        # Whatever proxy is set in the environment: this is this machine.
        build_opener(ProxyHandler({})).open(request, timeout=ANSWER_WITHIN).close()
    except HTTPError as error:
        with error:
            raise ProfileError(error.read().decode().strip()) from None
    except (URLError, OSError) as error:
        raise ProfileError(f"the dashboard at {parts.netloc} does not answer: {error}") from None
    return f"http://{parts.hostname}:{port}/#{parts.fragment}"
