"""The connection to a Docker Engine: one for all nodes of a cluster, kept alive, safe to use from many threads.

It is docker-py's low-level client, which knows sockets, TLS and DOCKER_HOST, with what that lacks: calls whose answer is a
stream of bytes in channels, and errors in the words of the CRI.

Models: Docker Engine API v1.41; cri-dockerd's libdocker.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import docker
import requests
from docker.auth import get_config_header, resolve_repository_name
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env, parse_repository_tag
from urllib3.exceptions import HTTPError

from k8slab.cri.api import CriError

CALL_SECONDS = 120
"""How long an ordinary call may take. Pulls and streams have limits of their own."""
_CONNECTIONS = 64
_SWITCHING_PROTOCOLS, _NO_CONTENT = 101, 204
_DEFAULT_SOCKET = "/var/run/docker.sock"
_CODES = {400: "InvalidArgument", 404: "NotFound", 409: "FailedPrecondition"}


def cri_error(error: Exception, code: str = "") -> CriError:
    """What Docker said, as the CRI says it."""
    if isinstance(error, APIError):
        status = error.response.status_code if error.response is not None else 500
        return CriError(code or _CODES.get(status, "Unknown"), f"Error response from daemon: {error.explanation}")
    return CriError(
        code or "Unavailable", f"Cannot connect to the Docker daemon. Is the docker daemon running? ({error})"
    )


@contextmanager
def translated() -> Iterator[None]:
    """Inside, Docker's errors become CriErrors."""
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        raise cri_error(error) from error


class Engine(docker.APIClient):
    """A Docker Engine."""

    # Parts of docker-py's client that its type stubs leave out.
    _version: str
    _get: Callable[..., requests.Response]
    _post: Callable[..., requests.Response]
    _post_json: Callable[..., requests.Response]
    _raise_for_status: Callable[[requests.Response], None]
    _result: Callable[..., Any]
    _stream_helper: Callable[..., Iterator[dict[str, Any]]]
    _get_raw_response_socket: Callable[[requests.Response], Any]

    def __init__(self) -> None:
        options: dict[str, Any] = dict(kwargs_from_env())
        options.setdefault("base_url", _socket_path())
        _knock(options["base_url"])
        super().__init__(version="auto", timeout=CALL_SECONDS, max_pool_size=_CONNECTIONS, **options)
        # No proxy, no .netrc: looking for them costs more than the call.
        self.trust_env = False

    def get_json(self, path: str, **params: Any) -> Any:
        """The answer of a GET that docker-py has no cheap call for."""
        return self._result(self._get(f"{self.base_url}/v{self._version}{path}", params=params), json=True)

    def start_created(self, container_id: str) -> bool:
        """Start a container; False if it runs already."""
        response = self._post(f"{self.base_url}/v{self._version}/containers/{container_id}/start")
        self._raise_for_status(response)
        return int(response.status_code) == _NO_CONTENT

    def create(self, name: str, body: dict[str, Any]) -> str:
        """Create a container from the API's own words; its id."""
        response = self._post_json(
            f"{self.base_url}/v{self._version}/containers/create", data=body, params={"name": name}
        )
        return str(self._result(response, json=True)["Id"])

    def inspect_or_none(self, image: str) -> dict[str, Any] | None:
        """An image's inspection; None if there is none."""
        try:
            return dict(self.get_json(f"/images/{image}/json"))
        except NotFound:
            return None

    def get_stream(self, path: str, **params: Any) -> ByteStream:
        """A GET whose answer comes bit by bit."""
        response = self._get(f"{self.base_url}/v{self._version}{path}", params=params, stream=True)
        self._raise_for_status(response)
        return ByteStream(self, response)

    def post_stream(self, path: str, body: Any) -> ByteStream:
        """A POST that turns the connection into a two-way stream."""
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
        url = f"{self.base_url}/v{self._version}{path}"
        # What is sent as a body would be the first input of whoever is attached to.
        send = partial(self._post_json, data=body) if body is not None else self._post
        response = send(url, headers=headers, stream=True)
        self._raise_for_status(response)
        return ByteStream(self, response)

    def pull_lines(self, name: str, seconds: float) -> Iterator[dict[str, Any]]:
        """Pull an image: progress, line by line. Gives up when the registry is silent for `seconds`."""
        repository, tag = parse_repository_tag(name)
        registry, _ = resolve_repository_name(repository)
        header = get_config_header(self, registry)
        response = self._post(
            f"{self.base_url}/v{self._version}/images/create",
            params={"fromImage": repository, "tag": tag},
            headers={"X-Registry-Auth": header} if header else {},
            stream=True,
            timeout=(CALL_SECONDS, seconds),
        )
        self._raise_for_status(response)
        yield from self._stream_helper(response, decode=True)

    def raw_socket(self, response: requests.Response) -> Any:
        """The socket under a streaming answer."""
        raw = self._get_raw_response_socket(response)
        return getattr(raw, "_sock", raw)


class ByteStream:
    """A connection that carries bytes instead of one answer. Reading blocks; `close`, from any thread, ends that."""

    def __init__(self, engine: Engine, response: requests.Response) -> None:
        self._response = response
        self._socket = engine.raw_socket(response)
        if hasattr(self._socket, "settimeout"):
            self._socket.settimeout(None)
        # Where the connection was upgraded, HTTP is over: nothing says how long what follows is.
        framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
        self._upgraded = response.status_code == _SWITCHING_PROTOCOLS or not framed

    def read(self) -> Iterator[bytes]:
        """What comes, as it comes, until the other side or `close` ends it."""
        # These are what a connection says, on its way out, that `close` has ended from another thread.
        with suppress(OSError, ValueError, AttributeError, requests.RequestException, HTTPError):
            if not self._upgraded:
                yield from self._response.raw.stream(65536, decode_content=False)
                return
            raw: Any = self._response.raw
            buffered = raw._fp.fp  # http.client's own buffer may hold the first bytes already
            while data := buffered.read1(65536):
                yield data

    def write(self, data: bytes) -> None:
        """Send; what nobody reads any more is dropped."""
        with suppress(OSError):
            self._socket.sendall(data)

    def close_write(self) -> None:
        """No more will be sent."""
        with suppress(OSError, AttributeError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End it for both sides."""
        with suppress(OSError, AttributeError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with suppress(OSError, ValueError):
            self._response.close()


def _socket_path() -> str | None:
    """Where the Engine of this user listens; None where docker-py knows better (Windows)."""
    if not hasattr(socket, "AF_UNIX"):
        return None
    own = [
        Path.home() / ".docker/run/docker.sock",
        Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")) / "docker.sock",
    ]
    found = next((path for path in (Path(_DEFAULT_SOCKET), *own) if path.exists()), _DEFAULT_SOCKET)
    return f"unix://{found}"


def _knock(address: str | None) -> None:
    """DockerException if nobody is at a socket: docker-py would leave half a connection behind."""
    if address and address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(address.removeprefix("unix://"))
            except OSError as error:
                raise DockerException(f"{address}: {error.strerror}") from error


def why_unavailable() -> str | None:
    """Why no Docker Engine can be used, in a sentence that helps; None if one can."""
    try:
        engine = Engine()
        try:
            if (system := engine.version().get("Os")) != "linux":
                return (
                    f"Docker runs {system} containers here; k8slab needs Linux ones (Docker Desktop: switch to them)."
                )
        finally:
            engine.close()
    except (DockerException, requests.RequestException, OSError) as error:
        where = os.environ.get("DOCKER_HOST") or _socket_path() or "its pipe"
        if "Permission denied" in str(error):
            return f"You may not use Docker at {where}: add your user to the group `docker`, and log in again."
        return f"No Docker Engine answers at {where}: start Docker, or use the simulated runtime."
    return None
