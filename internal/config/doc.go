// Package config reads rotad's configuration: strictly, and with every mistake found in one run.
//
//	config.yaml ──► parse ──► decode (strict, by struct tags) ──► validate ──► Config
//	include/*.yaml ──┘           │                                  │
//	                             └──────► Problems (file:line: path: what, hint) ◄──┘
//	clients.ndjson ──► DecodeClients ──► one credential.Client per line
//
// Nothing here knows a provider: the kinds that exist, and the structs that their settings are decoded into, come in as
// Kind values. Nothing here opens a connection, and secrets are only ever named by a file or an environment variable.
package config
