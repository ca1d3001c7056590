"""Prints what python-icalendar reads in each file: a JSON array with one object per event. What it cannot read ends it."""

import json
import sys

import icalendar


def address(value):
    return str(value or "").removeprefix("mailto:")


def people(value):
    if value is None:
        return []
    return [address(one) for one in (value if isinstance(value, list) else [value])]


def read(file):
    with open(file, "rb") as source:
        calendar = icalendar.Calendar.from_ical(source.read())
    for event in calendar.walk("VEVENT"):
        if event.errors:
            sys.exit(f"{file}: {event.errors}")
        yield {
            "file": file, "method": str(calendar.get("METHOD", "")), "uid": str(event["UID"]),
            "sequence": int(event["SEQUENCE"]), "start": int(event["DTSTART"].dt.timestamp()),
            "end": int(event["DTEND"].dt.timestamp()), "summary": str(event["SUMMARY"]),
            "languages": [event[name].params.get("LANGUAGE", "") for name in ("SUMMARY", "DESCRIPTION")],
            "status": str(event.get("STATUS", "")), "organizer": address(event.get("ORGANIZER")),
            "attendees": people(event.get("ATTENDEE")),
            "alarms": [int(alarm["TRIGGER"].dt.total_seconds()) for alarm in event.walk("VALARM")],
        }


json.dump([event for file in sys.argv[1:] for event in read(file)], sys.stdout)
