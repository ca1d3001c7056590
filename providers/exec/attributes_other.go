//go:build !linux

package exec

import "syscall"

// attributes put the program at the head of a process group of its own.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
