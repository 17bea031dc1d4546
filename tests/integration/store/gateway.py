"""etcd's HTTP gateway, for what the adapter does not do: users, roles, alarms."""

from __future__ import annotations

import base64
import http.client
import json
from contextlib import closing
from typing import Any


class Gateway:
    """Calls one member; as `root` once it has a token."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._token = ""

    def call(self, path: str, **body: Any) -> Any:
        """POST; the answer. Raises AssertionError unless it is 200."""
        with closing(http.client.HTTPConnection(self._endpoint, timeout=10)) as connection:
            headers = {"Authorization": self._token} if self._token else {}
            connection.request("POST", f"/v3/{path}", json.dumps(body), headers)
            with connection.getresponse() as response:
                content = response.read()
                assert response.status == http.HTTPStatus.OK, content
                return json.loads(content)

    def enable_auth(self, user: str, password: str, prefix: bytes) -> None:
        """Create root (password "root") and a user who may read and write below `prefix`."""
        for name, secret in (("root", "root"), (user, password)):
            self.call("auth/user/add", name=name, password=secret)
            self.call("auth/role/add", name=name)
            self.call("auth/user/grant", user=name, role=name)
        end = prefix[:-1] + bytes([prefix[-1] + 1])
        permission = {"permType": "READWRITE", "key": _text(prefix), "range_end": _text(end)}
        self.call("auth/role/grant", name=user, perm=permission)
        self.call("auth/enable")
        self.login()

    def disarm(self) -> None:
        """End every alarm."""
        for alarm in self.call("maintenance/alarm", action="GET")["alarms"]:
            self.call("maintenance/alarm", **{**alarm, "action": "DEACTIVATE"})

    def login(self) -> None:
        """Get a token for root."""
        self._token = ""
        self._token = self.call("auth/authenticate", name="root", password="root")["token"]

    def forget_tokens(self, user: str, password: str) -> None:
        """Set the user's password (to the same one): every token of the user is void."""
        self.login()
        self.call("auth/user/changepw", name=user, password=password)


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()
