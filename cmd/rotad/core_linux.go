package main

import (
	"errors"
	"fmt"
	"syscall"
)

// withoutCore makes sure that this process leaves no core behind, whatever ends it: a core holds every secret that was in
// memory. The limit stops the kernel from writing a file. Where cores are piped into a program instead, the limit is not
// obeyed, so the process is marked as one that is not dumped (prctl(2), PR_SET_DUMPABLE), which also keeps other processes
// of the same user from reading its memory and its environment.
func withoutCore() error {
	err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	if err != nil {
		err = fmt.Errorf("setting the limit of cores: %w", err)
	}
	if _, _, code := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0); code != 0 {
		err = errors.Join(err, fmt.Errorf("marking the process as one that is not dumped: %w", code))
	}
	return err
}
