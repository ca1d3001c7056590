"""Fetches a mailbox over IMAP, as a mail program does, and prints it: a JSON array with one object per mail.

The account comes in the environment: IMAP_PORT, IMAP_USER, IMAP_PASSWORD.
"""

import email
import email.policy
import imaplib
import json
import os
import sys


def part(of):
    raw = of.get_payload(decode=True)
    kind = of.get_content_type()
    text = raw.decode(of.get_content_charset("utf-8")).replace("\r\n", "\n")
    return {"type": kind, "method": of.get_param("method", ""), "file": of.get_filename() or "", "text": text}


def letter(raw):
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    parts = list(mail.walk())
    defects = [str(d) for p in parts for d in p.defects]
    return {
        "id": mail["Message-ID"].strip("<>"), "subject": mail["Subject"], "to": mail["X-Original-To"],
        "from": mail["From"].addresses[0].addr_spec, "tree": [p.get_content_type() for p in parts],
        "parts": [part(p) for p in parts if not p.is_multipart()], "defects": defects,
    }


box = imaplib.IMAP4("127.0.0.1", int(os.environ["IMAP_PORT"]))
box.login(os.environ["IMAP_USER"], os.environ["IMAP_PASSWORD"])
box.select("INBOX", readonly=True)
_, found = box.uid("SEARCH", "ALL")
letters = []
for uid in found[0].split():
    _, answer = box.uid("FETCH", uid, "(BODY.PEEK[])")
    letters.append(letter(answer[0][1]))
box.logout()
json.dump(letters, sys.stdout)
