package program

import (
	"errors"
	"fmt"
	"os/exec"

	"github.com/rotad/rotad/internal/credential"
)

// Check says whether the program could be started. It starts nothing: to ask it something it would have to be told a value.
func Check(p credential.ExecPlace) error {
	if len(p.Command) == 0 {
		return errors.New("no program is named")
	}
	if _, err := exec.LookPath(p.Command[0]); err != nil {
		return fmt.Errorf("%s: it cannot be started: %s; put it there, and let rotad's user execute it", p.Command[0], reason(err))
	}
	return nil
}
