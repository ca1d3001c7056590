// Package mailkills kills the daemon, again and again, while it tells people, and counts what reaches their mailboxes.
//
//	driver ──► state file, while the daemon is dead: notices to send, and which of them it has written down as sent
//	   │
//	   └─ starts, kills ──► rotad ──► SMTP, with TLS and a login ──► a mail server that notes every Message-ID it takes
//
// The daemon is built with the build tag "failpoints" and kills itself with SIGKILL before a message begins, in the middle of its
// dialogue, or between the server's yes and the disk's; else the driver kills it after so many mails. A mail that the server has
// taken and that neither the dead state nor the file beside it knows as sent is one that the kill exposes: it comes once more, under its Message-ID.
// Nothing else may come twice, and nothing may never come.
package mailkills
