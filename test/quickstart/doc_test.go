// Package quickstart types every command of docs/quickstart.md into a shell and compares what it shows with the page.
package quickstart_test
