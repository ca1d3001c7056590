// Package templates holds the words of rotad's mails and calendar events, and renders them. It imports nothing of
// rotad: what a mail says comes in as a Data of plain fields.
//
//	mail/<kind>/words.tmpl ─┬─► subject ─────────────┐
//	                        ├─► headline, lead ──┐   │
//	mail/<kind>/text.tmpl ──┼── text/template ◄──┤   ├─► Mail{Subject, Text, HTML}
//	mail/<kind>/html.tmpl ──┴── html/template ◄──┘   │
//	mail/partials.{text,html}.tmpl (shared blocks) ──┘
//	calendar/event.tmpl ─────── text/template ───────► Event{Summary, Description}
//
// The text part is written by hand, not stripped from the HTML. A template that names a field which does not exist
// fails when it is rendered, and the tests render every kind.
package templates
