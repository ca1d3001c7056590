// Package program hands a published bundle to a program of the user's own, for places that rotad does not know.
//
//	rotad ──► {"protocol": 1, "operation": "compare", "values": {...}} on stdin ──► {"holds": false} on stdout
//	      ──► {"protocol": 1, "operation": "write",   "values": {...}}          ──► exit 0
//	      ──► compare again
//
// One call is one process, without a shell and with an environment of two variables. Values are on stdin alone; what the
// program prints elsewhere is not kept, because it may repeat them.
package program

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Protocol is the version of what is said on stdin and stdout.
const Protocol = 1

// request is what a program is told.
type request struct {
	Protocol  int               `json:"protocol"`
	Operation string            `json:"operation"` // compare, write
	Client    string            `json:"client"`
	Version   int               `json:"version"` // of the path in Vault
	Values    map[string]string `json:"values"`
	Absent    []string          `json:"absent"` // names that the place must not have: of an old secret that is gone
}

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 4 << 10

// lastWord is how long a program may take that was told to end.
const lastWord = time.Second

// Deliver makes the place hold a copy, and says whether it had to be written.
func Deliver(ctx context.Context, p credential.ExecPlace, c credential.Copy) (written bool, err error) {
	r, err := requestOf(p, c)
	if err != nil {
		return false, err
	}
	holds, err := compare(ctx, p, r)
	if err != nil || holds {
		return false, err
	}
	r.Operation = "write"
	if _, err = call(ctx, p, r); err != nil {
		return false, err
	}
	holds, err = compare(ctx, p, r)
	if err == nil && !holds {
		err = fmt.Errorf("%s: it was told to write the values, and does not hold them", name(p))
	}
	return err == nil, err
}

// name is the program with its arguments, which tell several apart; no secret is among them.
func name(p credential.ExecPlace) string { return strings.Join(p.Command, " ") }

func requestOf(p credential.ExecPlace, c credential.Copy) (request, error) {
	keys, err := c.Keys(p.Names, p.Previous)
	if err != nil {
		return request{}, err
	}
	r := request{Protocol: Protocol, Client: c.Client, Version: c.Version, Values: map[string]string{}, Absent: []string{}}
	for name, value := range keys.Values {
		r.Values[name] = value.Reveal()
	}
	r.Absent = append(r.Absent, keys.Gone...)
	return r, nil
}

// compare asks whether the place holds the values, and nothing else of rotad's.
func compare(ctx context.Context, p credential.ExecPlace, r request) (bool, error) {
	r.Operation = "compare"
	raw, err := call(ctx, p, r)
	if err != nil {
		return false, err
	}
	var answer struct {
		Holds *bool `json:"holds"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(&answer); err != nil || answer.Holds == nil || len(bytes.TrimSpace(raw[d.InputOffset():])) > 0 {
		return false, fmt.Errorf(`%s: its answer is not {"holds": true} or {"holds": false}`, name(p))
	}
	return *answer.Holds, nil
}

// limited keeps the beginning of what is written to it.
type limited struct{ bytes.Buffer }

// Write implements io.Writer. What is too much is thrown away, so that nobody waits for a reader.
func (l *limited) Write(p []byte) (int, error) {
	if room := maxAnswer - l.Len(); room > 0 {
		_, _ = l.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

func call(ctx context.Context, p credential.ExecPlace, r request) ([]byte, error) {
	said, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: there is no time left", name(p))
	}
	cmd := exec.CommandContext(ctx, p.Command[0], p.Command[1:]...) //nolint:gosec // the configuration names it; there is no shell
	var out limited
	cmd.Stdin, cmd.Stdout = bytes.NewReader(append(said, '\n')), &out
	cmd.Env, cmd.Dir, cmd.WaitDelay = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}, "/", lastWord
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // and what it has started
	err = cmd.Run()
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s: it did not end in time, and was ended", name(p))
	case ended:
		return nil, fmt.Errorf("%s: %s ended with %s; what it printed is not kept, so look where it logs", name(p), r.Operation, exit.ProcessState)
	case err != nil && !errors.Is(err, syscall.EPIPE): // it may not read what it does not need
		return nil, fmt.Errorf("%s: it cannot be started: %s", name(p), reason(err))
	}
	return out.Bytes(), nil
}

// reason is an error of the system without the path that stands before it already.
func reason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return text[i+2:]
	}
	return text
}
