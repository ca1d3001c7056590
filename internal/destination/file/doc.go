// Package file keeps a copy of a bundle in a file: as Docker mounts a secret, as NAME=value lines, as JSON, or by a template.
//
//	Copy ──► render ──► same as the file? ── yes ──► nothing is touched
//	                         │ no
//	                         ▼
//	         .name.rotad-* ──► mode, owner ──► fsync ──► rename ──► fsync of the directory ──► read back
//
// A reader sees the old content or the new one, never a part. Everything is done below the opened directory, so that a
// link that somebody puts in the way leads nowhere.
package file
