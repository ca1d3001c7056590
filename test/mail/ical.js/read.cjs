// Prints what ical.js reads in each file: a JSON array with one object per event. What it cannot read ends it.
"use strict";
const fs = require("fs");
const ICAL = require("ical.js");

const address = (value) => (value ? String(value).replace(/^mailto:/i, "") : "");
const seconds = (time) => time.toUnixTime();

const read = (file) => {
  const calendar = new ICAL.Component(ICAL.parse(fs.readFileSync(file, "utf8")));
  return calendar.getAllSubcomponents("vevent").map((component) => {
    const event = new ICAL.Event(component);
    return {
      file, method: calendar.getFirstPropertyValue("method") || "", uid: event.uid, sequence: event.sequence,
      start: seconds(event.startDate), end: seconds(event.endDate), summary: event.summary,
      languages: ["summary", "description"].map((name) => component.getFirstProperty(name).getParameter("language") || ""),
      status: component.getFirstPropertyValue("status") || "", organizer: address(event.organizer),
      attendees: event.attendees.map((a) => address(a.getFirstValue())),
      alarms: component.getAllSubcomponents("valarm").map((a) => a.getFirstPropertyValue("trigger").toSeconds()),
    };
  });
};

try {
  process.stdout.write(JSON.stringify(process.argv.slice(2).flatMap(read)));
} catch (error) {
  process.stderr.write(String(error) + "\n");
  process.exit(1);
}
