// Package canary_test lets the built daemon die with secrets in its memory, and looks at what it leaves behind: the trace
// of its goroutines, its environment, its command line, and no core.
//
//	sh: ulimit -c unlimited, GOTRACEBACK=crash ──► rotad run ──► SIGQUIT, SIGABRT ──► trace in the log ──► searched
//	                                                                              └──► no core
package canary_test
