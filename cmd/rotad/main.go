// Command rotad is the rotation daemon and the commands that people use with it.
//
//	main ─► run ─► one file per subcommand ─┬─► daemon.go (run, demo): the composition root
//	                                        └─► internal/admin: the commands talk to the running daemon over its socket
package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // the static binary runs where no zone information is installed
)

func main() {
	if err := withoutCore(); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "warning: a crash may write a core, which holds clear secrets: %v\n", err)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
