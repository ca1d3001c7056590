// Package gcp is what the kinds for Google Cloud share: rotad's own login there, and what an error of Google's APIs means.
//
//	key file       ──► ParseKey ──► Key ──► Assertion ──► token endpoint (RFC 7523) ──┐
//	token file     ───────────────────────────────────────────────────────────────────┼──► Account ──► iam.googleapis.com
//	machine's role ──► metadata server ───────────────────────────────────────────────┘        │
//	                                                              class, code ◄── Status ◄─────┘
package gcp
