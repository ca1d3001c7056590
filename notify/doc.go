// Package notify tells people. It takes due notices from an outbox, asks whether they are still true, renders them and
// sends them, one message per address and channel, until each is settled.
//
//	          Records            Directory
//	             │ still true?       │ who, which zone
//	             ▼                   ▼
//	Outbox ──► Loop ──► Renderer ──► Message ──► Channel (smtp, webhook, slack)
//	  ▲         │       templates + calendar        │
//	  └─ Settle ┴─────────── Receipt or SendError ◄─┘
//
// What must stay true:
//
//   - A delivery is settled as begun before its first byte leaves, and again when its outcome is known. After a crash
//     in between it is sent again under the same Message-ID: never a loss, at most one duplicate. What a server has taken is noted
//     past a kill before the next is said on that line, so that a kill doubles no more messages than speak at once, and one where one
//     is sent after the other. A power cut doubles as many, and while many notices are due those that wait for the disk. Then
//     a delivery is not settled as begun, only as sent: what was taken is noted, and the next start asks for it.
//   - Nothing waits for a mail. The loop has a goroutine of its own, and an unreachable server costs one attempt per
//     pause, not one per notice.
//   - What one channel refuses is told over another: of the same owner, else of the admins.
//   - A notice holds facts, never a secret, so no rendered byte can hold one.
package notify
