package world

import "syscall"

// Pid returns the id of the daemon's process.
func (d *Daemon) Pid() int { return d.process.Pid() }

// Signal sends a signal to the daemon and does not wait.
func (d *Daemon) Signal(s syscall.Signal) {
	d.w.T.Helper()
	d.w.Must(d.process.Signal(s))
}
