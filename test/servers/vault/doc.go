// Command vaultlite serves HashiCorp Vault's own core over HTTP, with the KV secrets engine, the logins approle, jwt and
// kubernetes, and nothing else, so that it builds in minutes where the whole server takes a quarter of an hour. It is
// meant for tests only: one unseal key, kept in a file beside it.
//
//	-data DIR ──► sdk/physical/file ──► vault.Core ──► vault/http ──► -addr
//	-memory ────► sdk/physical/inmem ──┘   ▲
//	-keys FILE {root_token, unseal_key} ───┘ written at the first start; -unseal reads it at later ones
//
// A first start initialises and unseals. A later one comes up sealed, as a real server does, unless -unseal is given.
package main
