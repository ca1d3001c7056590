// Package stage serves the page of the demo: what happens in a play, as people see it, and the buttons that break
// something. It knows neither the daemon nor its world: the play hands it what there is to see, and does what is asked.
//
//	play ──► Ledger (logins, versions, phases) ──┐
//	  │────► Post   (mails, calendar) ───────────┼──► Scene ──► GET /scene ──► browser
//	  └────► Story  (who did what) ──────────────┘
//	  ▲                                              POST /do ◄── a button
//	  └──────────────────────────────────────────────────┘
//
// A clear secret never comes in here: a value is known by its fingerprint, and shown as a letter. The page is made of
// files of its own; it loads nothing from anywhere, and a mail in it is shut in a frame that may do nothing.
package stage
