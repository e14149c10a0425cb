"""Servers that lend boards: what their addresses mean, and finding out whether one answers.

There are two kinds. ``spalloc://USER@HOST[:PORT]`` is a spalloc server, which is asked by lines of JSON and knows its
users by name alone. ``https://HOST/PATH`` is the spalloc service that took its place, EBRAINS' too; it wants a password
or a token, which sPyNNaker takes from the environment (spinnman's ``SpallocClient`` and ``spalloc_allocator``).
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from urllib.error import HTTPError
from urllib.parse import SplitResult, urlsplit
from urllib.request import urlopen

from evsim.errors import BackendError

SERVER, SERVICES = "spalloc", ("http", "https")  # schemes of addresses
SERVER_PORT = 22244  # of spalloc_client.ProtocolClient
CREDENTIALS = (
    ("SPALLOC_USER", "SPALLOC_PASSWORD"),
    ("OIDC_BEARER_TOKEN",),  # a token of EBRAINS
    ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_SERVICE_HOST", "JUPYTERHUB_SERVICE_PORT"),  # in EBRAINS' notebooks
)


def lends_boards(address: str) -> bool:
    """Whether an address is that of a server, and not of a board."""
    return urlsplit(address).scheme in (SERVER, *SERVICES)


def configuration(address: str) -> dict[str, str]:
    """What sPyNNaker's section ``Machine`` says of a server."""
    user = urlsplit(address).username
    # the user's name stands in the address, too, but sPyNNaker 7.4.1 stops where it is not here
    return {"spalloc_server": address} | ({"spalloc_user": user} if user else {})


def check_address(address: str) -> None:
    """Raise BackendError for an address of a server that lacks a part, or for a service without credentials."""
    parts = urlsplit(address)
    if not parts.hostname:
        raise BackendError(f"{address!r} names no host; say spalloc://USER@HOST or https://HOST/PATH")
    if parts.password is not None:
        raise BackendError(
            f"the address of {parts.hostname} holds a password, which others could read; leave it out, and set "
            "SPALLOC_USER and SPALLOC_PASSWORD"
        )
    if parts.scheme == SERVER and not parts.username:
        raise BackendError(f"{address!r} names no user, whom a spalloc server must know; say spalloc://USER@HOST")
    if parts.scheme in SERVICES and not any(all(map(os.environ.get, names)) for names in CREDENTIALS):
        ways = ", or ".join(" and ".join(names) for names in CREDENTIALS)
        raise BackendError(f"the spalloc service {address} wants to know who asks; set {ways}")


def probe_server(address: str, timeout: float) -> None:
    """Ask a server something that costs nothing; raises BackendError if it does not answer in time (s)."""
    parts = urlsplit(address)
    try:
        if parts.scheme == SERVER:
            _ask_version(parts, timeout)
        else:
            _open(address, timeout)
    except (OSError, ValueError) as error:  # nobody there, no answer in time, or not what a server says
        raise BackendError(
            f"the server {address!r}, which lends SpiNNaker boards, cannot be reached: no answer within {timeout:g} s "
            f"({error}). Check the address, or use spinnaker:emulated."
        ) from None


def _ask_version(parts: SplitResult, timeout: float) -> None:
    with socket.create_connection((parts.hostname or "", parts.port or SERVER_PORT), timeout) as connection:
        connection.sendall(b'{"command": "version", "args": [], "kwargs": {}}\n')
        with connection.makefile("rb") as answers:
            json.loads(answers.readline())["return"]


def _open(address: str, timeout: float) -> None:
    with suppress(HTTPError):  # an answer, too: who asks is not known yet
        urlopen(address, timeout=timeout).close()
