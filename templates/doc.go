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
// The structure is the same in every language. What it says stands in messages/<language>, a catalogue of messages with the plural
// forms of that language:
//
//	{{say "left.headline" .}} ──► messages/de: "left.headline": "rotad kümmert sich nicht mehr um {{.Client}}"
//
// The text part is written by hand, not stripped from the HTML. A template that names a field or a message which does not exist
// fails when it is rendered, and the tests render every kind in every language.
package templates
