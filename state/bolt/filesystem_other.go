//go:build !linux

package bolt

// checkFilesystem knows the magic numbers of Linux only, where rotad is meant to run.
func checkFilesystem(string) error { return nil }

func prefetch([]byte) {}
