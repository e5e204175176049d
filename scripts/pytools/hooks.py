"""What schemathesis is told about Hearth: how somebody signs in, again where a call has ended the session.

Takes HEARTH_URL, HEARTH_USER and HEARTH_PASSWORD from the environment; without a user it asks as nobody.
"""

import os
import threading

import requests
import schemathesis

URL = os.environ["HEARTH_URL"]
USER = os.environ.get("HEARTH_USER", "")
PASSWORD = os.environ.get("HEARTH_PASSWORD", "")

_token = {"value": None}
_lock = threading.Lock()


def _sign_in():
    with _lock:
        if _token["value"] is None:
            body = {"username": USER, "password": PASSWORD}
            answer = requests.post(f"{URL}/api/v1/auth/login", json=body, verify=False, timeout=30)
            answer.raise_for_status()
            _token["value"] = answer.json()["access_token"]
        return _token["value"]


if USER:

    @schemathesis.auth(refresh_interval=None)
    class SignedIn:
        def get(self, case, context):
            return _sign_in()

        def set(self, case, data, context):
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 401:
        with _lock:
            _token["value"] = None
