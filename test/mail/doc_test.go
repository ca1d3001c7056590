// Package mail_test asks of rotad's mails and calendar events what the programs of their readers ask.
//
//	rotad preview ──────────────► Chromium, on a phone and on a desk, light and dark
//	   └── .ics ──┐
//	              ├────────────► ical.js, python-icalendar
//	rotad run ──► Postfix ──► Maildir ──► Dovecot, IMAP ──► Python's mail reader
//	   │             │            └────► a calendar client ──► Radicale
//	   │             └── greylisting, a full mailbox, nobody of that name
//	   └────────► a server that dies at each word of the dialogue
//
// ROTAD_SHOTS=DIR keeps pictures of every mail, for people to look at.
package mail_test
