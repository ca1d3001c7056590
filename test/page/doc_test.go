// Package page_test opens the demo's page, and those behind the links of mails, in a real browser, and does there what people do:
// with a keyboard, on a phone, in the dark.
//
//	rotad demo --page 127.0.0.1:0 ──► address ──► Chromium, driven over its own protocol
//	answer.Server ────────────────► link ───────►
//
// ROTAD_SHOTS=DIR keeps pictures of what it saw, for people to look at.
package page_test
