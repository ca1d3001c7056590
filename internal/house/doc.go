// Package house holds no code: its tests walk the source tree and refuse what the linters cannot see.
//
//	every Go file ──► sizes, package comments, words, sleeping tests
//	providers/*   ──► the four places of a kind
//	docs/*        ──► links, commands, tests, alerts, metrics and settings that they name exist
//
// What a linter can check stands in .golangci.yml instead.
package house
