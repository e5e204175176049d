"""What schemathesis is told about Hearth: how somebody signs in, again where a call has ended the session; and two values that only the server knows:
the ETag of what is there, and where a page of a list ended. They are put in where data is meant to fit, and nowhere else.

An admin may also remove the account that asks, give it another role or another password: no call is left out for that. Where the account cannot sign in any
more, another of the same role is added with the command line, as whoever runs Hearth would do it, and asks from then on.

Takes HEARTH_URL, HEARTH_USER and HEARTH_PASSWORD from the environment, and for those other accounts HEARTH_ROLE, HEARTH_PROGRAM and HEARTH_HOME; without
a user it asks as nobody.
"""

import os
import subprocess
import threading
import time

import requests
import schemathesis
from schemathesis import GenerationMode

URL = os.environ["HEARTH_URL"]
USER = os.environ.get("HEARTH_USER", "")
PASSWORD = os.environ.get("HEARTH_PASSWORD", "")

_token = {"value": None}
_account = {"name": USER, "count": 1}
_lock = threading.Lock()
# Where the last page of a list ended, by path.
_next = {}


def _log_in():
    body = {"username": _account["name"], "password": PASSWORD}
    for _ in range(10):
        answer = requests.post(f"{URL}/api/v1/auth/login", json=body, verify=False, timeout=30)
        if answer.status_code != 429:
            break
        # Wrong passwords were tried for this account: whoever has the right one waits too.
        time.sleep(int(answer.headers["Retry-After"]))
    return answer


def _another_account():
    _account["count"] += 1
    _account["name"] = f"{USER}-{_account['count']}"
    program = [os.environ["HEARTH_PROGRAM"], "--home", os.environ["HEARTH_HOME"]]
    verb = ["users", "add", _account["name"], "--role", os.environ["HEARTH_ROLE"], "--stdin"]
    subprocess.run(program + verb, input=PASSWORD + "\n", text=True, check=True, capture_output=True, timeout=60)


def _sign_in():
    with _lock:
        if _token["value"] is None:
            answer = _log_in()
            if answer.status_code in (401, 403):
                _another_account()
                answer = _log_in()
            if "access_token" not in (answer.json() if answer.ok else {}):
                raise RuntimeError(f"{_account['name']} cannot sign in: {answer.status_code} {answer.text}")
            _token["value"] = answer.json()["access_token"]
        return _token["value"]


if USER:

    @schemathesis.auth(refresh_interval=None)
    class SignedIn:
        def get(self, case, context):
            return _sign_in()

        def set(self, case, data, context):
            case.headers["Authorization"] = f"Bearer {data}"


def _etag(case):
    """Of what stands at the case's address; None where there is nothing yet, or it is not for whoever asks."""
    if not USER:
        return None
    url = URL + case.formatted_path
    headers = {"Authorization": f"Bearer {_sign_in()}"}
    return requests.get(url, headers=headers, verify=False, timeout=30).headers.get("ETag")


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    definition = case.operation.definition.raw
    names = {parameter.get("name") for parameter in definition.get("parameters", [])}
    if "If-Match" in names:
        etag = _etag(case)
        case.headers.pop("If-Match", None)
        if etag:
            case.headers["If-Match"] = etag
    if case.query and "after" in case.query and "limit" in names:
        known = _next.get(case.operation.path)
        if known:
            case.query["after"] = known
        else:
            del case.query["after"]


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 401:
        with _lock:
            _token["value"] = None
    if case.method.upper() == "GET" and response.status_code == 200:
        try:
            found = response.json()
        except ValueError:
            return
        if isinstance(found, dict) and isinstance(found.get("next"), str) and not case.query:
            _next[case.operation.path] = found["next"]
