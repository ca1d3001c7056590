package exec

import "syscall"

// attributes put the program at the head of a process group of its own. Should rotad be killed, the kernel ends the
// program: nobody would be left to keep its deadline, and a create must not land after it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
