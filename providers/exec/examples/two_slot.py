#!/usr/bin/env python3
"""An adapter for rotad in Python, standard library only: secrets that live side by side (mode two-slot).

The API is that of Microsoft Graph, for which rotad has a kind of its own; copy this file and change the operations.
Protocol: docs/reference/exec.md. Everything between "the protocol" and "the provider" can stay as it is.

    kind: exec
    program_file: /usr/local/lib/rotad/two_slot.py
    environment: {PATH: "/usr/local/bin:/usr/bin:/bin"}
    settings: {graph: "https://graph.example.com/v1.0", login: "https://login.example.com/t", client_id: rotad}
    credential_file: /etc/rotad/two-slot        # rotad's own client secret there
"""

import base64
import email.utils
import http.client
import json
import math
import signal
import sys
from urllib.parse import quote, quote_plus, urlencode, urlsplit

LIMIT = 1 << 20  # bytes of an answer


class Failed(Exception):
    """Why an operation failed. The class says what may be concluded; the message is for people and holds no body."""

    def __init__(self, kind, message, reply=None, raw=None):
        super().__init__(message)
        self.error = {"class": kind, "message": message}
        if reply is not None:
            self.error["status"] = reply.status
            self.error["request_id"] = reply.request_id
            self.error["retry_after"] = reply.retry_after
            self.error["code"] = reply.code()
        if raw is not None:
            self.error["raw"] = raw
        self.error = {name: value for name, value in self.error.items() if value}


# ---- HTTP ----


class Reply:
    """An answer, read up to LIMIT."""

    def __init__(self, response, body, whole):
        self.status, self.body, self.whole = response.status, body, whole
        self.request_id = response.getheader("request-id") or response.getheader("x-request-id") or ""
        self.retry_after = seconds(response.getheader("retry-after"))
        self.date = rfc3339(response.getheader("date"))

    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        """The answer as an object, None if it is none or did not come whole."""
        if not self.whole:
            return None
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def code(self):
        error = (self.json() or {}).get("error")
        if isinstance(error, dict):
            error = error.get("code")
        return error if isinstance(error, str) and self.status >= 300 else ""


def seconds(text):
    try:
        return max(1, min(int(text), 3600))
    except (TypeError, ValueError):
        return 0


def rfc3339(text):
    try:
        return email.utils.parsedate_to_datetime(text).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (TypeError, ValueError):
        return None


def send(call, method, url, headers, body=None, changes=False):
    """Sends a request once. Only a connection that never was proves that nothing happened."""
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname, parts.port, timeout=max(1, call["timeout"] - 1))
    try:
        connection.connect()
    except OSError as e:
        raise Failed("unavailable", "connecting to %s: %s" % (parts.hostname, e.strerror or type(e).__name__))
    path = parts.path + ("?" + parts.query if parts.query else "")
    try:
        connection.request(method, path, body, dict(call.get("headers", {}), Accept="application/json", **headers))
        response = connection.getresponse()
    except (OSError, http.client.HTTPException) as e:
        kind = "indeterminate" if changes else "unavailable"
        raise Failed(kind, "the connection to %s broke before an answer: %s" % (parts.hostname, type(e).__name__))
    received, whole = b"", True
    try:
        while len(received) <= LIMIT:
            piece = response.read(1 << 16)
            if not piece:
                break
            received += piece
    except http.client.IncompleteRead as e:
        received, whole = received + e.partial, False
    except (OSError, http.client.HTTPException):
        whole = False
    whole = whole and len(received) <= LIMIT and not response.length
    return Reply(response, received[:LIMIT], whole)


def classify(status, changes):
    """What a status that is no success lets one conclude."""
    known = {401: "auth", 403: "auth", 407: "auth", 404: "not-found", 410: "not-found", 405: "unsupported",
             501: "unsupported", 505: "unsupported", 409: "conflict", 412: "conflict", 423: "busy", 425: "busy",
             429: "throttled"}
    if status in known:
        return known[status]
    if status not in (303, 408, 499) and 300 <= status < 500:
        return "rejected"
    return "indeterminate" if changes else "unavailable"


# ---- the provider ----


def basic(name, secret):
    """RFC 6749 section 2.3.1."""
    pair = quote_plus(name) + ":" + quote_plus(secret)
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def token_request(call, name, secret, auth, scope):
    form, headers = {"grant_type": "client_credentials", "scope": scope}, {}
    if auth == "post":
        form.update(client_id=name, client_secret=secret)
    else:
        headers = basic(name, secret)
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return send(call, "POST", call["settings"]["login"] + "/oauth2/v2.0/token", headers, urlencode(form))


def log_in(call):
    reply = token_request(call, call["settings"]["client_id"], call["credential"], "post",
                          "https://graph.microsoft.com/.default")
    token = (reply.json() or {}).get("access_token")
    if reply.status != 200 or not isinstance(token, str):
        kind = "unavailable" if reply.status == 200 else classify(reply.status, False)
        kind = "rejected" if kind == "not-found" else kind  # there is no login here; that says nothing about a client
        raise Failed(kind, "logging in as %s was refused; check credential_file" % call["settings"]["client_id"], reply)
    return {"Authorization": "Bearer " + token}


def application(call):
    return call["settings"]["graph"] + "/applications(appId='%s')" % quote(call["target"]["ref"].get("app_id", ""), safe="")


def look(call, login):
    reply = send(call, "GET", application(call), login)
    if reply.status != 200:
        raise Failed(classify(reply.status, False), "looking at the application", reply)
    app = reply.json()
    if app is None or not isinstance(app.get("passwordCredentials"), list):
        raise Failed("unavailable", "the answer is not a description of an application", reply)
    return app, reply


def secret_of(password):
    return {"id": password["keyId"], "start": password.get("startDateTime"), "expires": password.get("endDateTime"),
            "label": password.get("displayName") or "", "hint": password.get("hint") or ""}


def inspect(call):
    app, reply = look(call, log_in(call))
    slots = 2 if "PersonalMicrosoftAccount" in (app.get("signInAudience") or "") else 0
    return {"snapshot": {
        "capabilities": {"mode": "two-slot", "reason": "passwords of an application live side by side",
                         "start_readable": True, "labels": True, "sets_expiry": True, "slots": slots},
        "client_id": app["appId"], "time": reply.date,
        "secrets": [secret_of(p) for p in app["passwordCredentials"]],
    }}


def create(call):
    wanted = {"displayName": call["request"]["label"]}
    if call["request"].get("proposed"):
        raise Failed("unsupported", "the provider chooses the value")
    if call["request"].get("expires"):
        wanted["endDateTime"] = call["request"]["expires"]
    headers = dict(log_in(call), **{"Content-Type": "application/json"})
    reply = send(call, "POST", application(call) + "/addPassword", headers, json.dumps({"passwordCredential": wanted}),
                 changes=True)
    if reply.code() == "TooManyAppPasswords":
        raise Failed("quota", "the application has as many passwords as it may have; remove one", reply)
    if not 200 <= reply.status < 300:
        raise Failed(classify(reply.status, True), "adding a password", reply)
    return issued(call, reply.json(), reply, reply.text())


def issued(call, password, reply, raw):
    """What came of a create. From here on the value exists, so whatever cannot be read is handed on."""
    if not password or not isinstance(password.get("secretText"), str) or not isinstance(password.get("keyId"), str):
        raise Failed("not-understood", "the answer has no secretText and keyId", reply, raw)
    return {"issued": {"secret": secret_of(password), "bundle": {
        "client_id": call["target"]["ref"]["app_id"], "client_secret": password["secretText"],
    }}}


def decode(call):
    try:
        password = json.loads(call["raw"])
    except ValueError:
        password = None
    return issued(call, password if isinstance(password, dict) else None, None, call["raw"])


def verify(call):
    settings, name = call["target"]["verify"], call["bundle"]["client_id"]
    reply = token_request(call, name, call["bundle"]["client_secret"], settings["auth"],
                          settings.get("scope") or name + "/.default")
    answer = reply.json() or {}
    if reply.status == 200 and isinstance(answer.get("access_token"), str):
        return {"answer": "accepted"}
    if reply.status in (400, 401) and answer.get("error") == "invalid_client":
        return {"answer": "refused"}
    kind = classify(reply.status, False) if reply.status >= 300 else "unavailable"
    kind = "unavailable" if kind == "auth" else kind  # it is about the client, not about rotad's own account
    raise Failed(kind, "the answer proves nothing about the secret", reply)


def revoke(call):
    login = log_in(call)
    app, _ = look(call, login)
    if call["secret_id"] not in [p["keyId"] for p in app["passwordCredentials"]]:
        return {"revoked": True}  # gone already
    headers = dict(login, **{"Content-Type": "application/json"})
    reply = send(call, "POST", application(call) + "/removePassword", headers, json.dumps({"keyId": call["secret_id"]}),
                 changes=True)
    if not 200 <= reply.status < 300:
        raise Failed(classify(reply.status, True), "removing a password", reply)
    return {"revoked": True}


def check(call):
    try:
        log_in(call)
    except Failed as e:
        return {"findings": [{"problem": True, "what": str(e), "hint": "give rotad's client a valid secret"}]}
    return {"findings": []}


# ---- the protocol ----

OPERATIONS = {"inspect": inspect, "create": create, "verify": verify, "revoke": revoke, "check": check, "decode": decode}


def describe(_):
    return {"describe": {"name": "two_slot.py", "version": "1", "operations": ["describe"] + list(OPERATIONS)}}


def answer_to(call):
    operation = dict(OPERATIONS, describe=describe).get(call["operation"])
    try:
        if call["protocol"] != 1:
            raise Failed("unsupported", "this program speaks version 1 of the protocol")
        if operation is None:
            raise Failed("unsupported", "this program does not offer " + call["operation"])
        return operation(call)
    except Failed as e:
        return {"error": e.error}


def main():
    call = json.load(sys.stdin.buffer)
    # The kernel ends this program at the deadline even if rotad is no longer there to do it.
    signal.alarm(math.ceil(call["timeout"]))
    sys.stdout.buffer.write(json.dumps(dict(answer_to(call), protocol=1)).encode())


if __name__ == "__main__":
    main()
