#!/usr/bin/env python3
"""The accounts of a mail server as a provider of the kind exec: two files of passwords, both of which Dovecot asks.

A file holds one password of the account, after a line that says which one it is: "# ID START LABEL". Whether a password is
accepted is asked of the server itself, by SMTP AUTH after STARTTLS.
"""

import datetime
import json
import os
import secrets
import smtplib
import ssl
import sys

CALL = json.load(sys.stdin)
SETTINGS = CALL.get("settings", {})
FILES = [SETTINGS["first"], SETTINGS["second"]]


def reply(**members):
    print(json.dumps({"protocol": 1, **members}))
    sys.exit(1 if "error" in members else 0)


def held(path):
    """What a file holds: its first line taken apart, None if it is empty."""
    with open(path, encoding="utf-8") as f:
        line = f.readline()
    if not line.startswith("# "):
        return None
    ident, start, label = line[2:].rstrip("\n").split(" ", 2)
    return {"id": ident, "start": start, "label": label}


def write(path, text):
    """The server reads the file whole or as it was before."""
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


def inspect():
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    reply(snapshot={
        "client_id": CALL["target"]["ref"]["user"], "time": now, "secrets": [s for s in map(held, FILES) if s],
        "capabilities": {"mode": "two-slot", "reason": "the server asks two files", "labels": True, "start_readable": True, "slots": 2},
    })


def create():
    free = [path for path in FILES if not held(path)]
    if not free:
        reply(error={"class": "quota", "message": "both files hold a password"})
    user, value, ident = CALL["target"]["ref"]["user"], secrets.token_urlsafe(24), secrets.token_hex(8)
    start = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    write(free[0], f"# {ident} {start} {CALL['request']['label']}\n{user}:{value}\n")
    reply(issued={
        "bundle": {"client_id": user, "client_secret": value},
        "secret": {"id": ident, "start": start, "label": CALL["request"]["label"]},
    })


def verify():
    bundle = CALL["bundle"]
    try:
        with smtplib.SMTP("127.0.0.1", int(SETTINGS["port"]), timeout=10) as server:
            server.starttls(context=ssl.create_default_context(cafile=SETTINGS["ca"]))
            server.login(bundle["client_id"], bundle["client_secret"])
        reply(answer="accepted")
    except smtplib.SMTPAuthenticationError:
        reply(answer="refused")
    except (OSError, smtplib.SMTPException) as wrong:
        reply(error={"class": "unavailable", "message": "asking the mail server: " + type(wrong).__name__})


def revoke():
    for path in FILES:
        found = held(path)
        if found and found["id"] == CALL["secret_id"]:
            write(path, "")
            reply(revoked=True)
    reply(error={"class": "not-found", "message": "no file holds this password"})


OPERATIONS = {"inspect": inspect, "create": create, "verify": verify, "revoke": revoke}
if CALL["operation"] == "describe":
    reply(describe={"name": "mail accounts", "version": "1", "operations": ["describe", *OPERATIONS]})
if CALL["operation"] not in OPERATIONS:
    reply(error={"class": "unsupported", "message": "not offered"})
OPERATIONS[CALL["operation"]]()
