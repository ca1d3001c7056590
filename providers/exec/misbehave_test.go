package exec

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	osexec "os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/rotad/rotad/providers"
)

// Values of the variable asProgram beside adapter.
const (
	script = "script" // do what the settings of the call say, in this order: stderr, stdout, then, exit
	child  = "child"  // knock, tell the parent, and stay until the other side hangs up
)

// misbehave is a program that does what it was told to.
func misbehave(role string) int {
	if role == child {
		signal.Ignore(syscall.SIGTERM)
		conn := knock(os.Getenv("KNOCK"))
		_, _ = os.NewFile(3, "told").WriteString("!")
		_, _ = io.Copy(io.Discard, conn)
		return 0
	}
	switch role {
	case script:
	case rotad:
		return waitForACreate()
	default:
		return 3
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return 90
	}
	var c call
	if json.Unmarshal(text, &c) != nil {
		return 91
	}
	fill := strings.NewReplacer("{credential}", c.Credential.Reveal(), "{bundle}", c.Bundle["client_secret"].Reveal(),
		"{surroundings}", strconv.FormatBool(c.Settings["want"] == surroundings()),
		"{call}", strings.ReplaceAll(strings.TrimSpace(string(text)), `"`, `'`))
	s := c.Settings
	repeat := func(name string) string {
		n, _ := strconv.Atoi(s["repeat"])
		return strings.Repeat(fill.Replace(s[name]), max(1, n))
	}
	_, _ = os.Stderr.WriteString(repeat("stderr"))
	_, _ = os.Stdout.WriteString(repeat("stdout"))
	return act(s)
}

// surroundings is all that a program gets beside stdin.
func surroundings() string {
	dir, _ := os.Getwd()
	return strings.Join(append(os.Args[1:], append(os.Environ(), dir)...), " ")
}

func act(s map[string]string) int {
	switch s["then"] {
	case "hang": // heeds SIGTERM
		_, _ = io.Copy(io.Discard, knock(s["knock"]))
	case "deaf": // heeds nothing, and neither does its child
		signal.Ignore(syscall.SIGTERM)
		beget(s["knock"], false)
		_, _ = io.Copy(io.Discard, knock(s["knock"]))
	case "finish": // says its reply only when it is asked to end
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		knock(s["knock"])
		<-asked
		_, _ = os.Stdout.WriteString(s["last"])
	case "leave": // a child that keeps stdout open
		beget(s["knock"], false)
	case "escape": // the same, out of reach
		beget(s["knock"], true)
	case "pour": // until somebody ends it
		for piece := strings.Repeat("x", 1<<16); ; {
			_, _ = os.Stdout.WriteString(piece)
		}
	case "die":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	code, _ := strconv.Atoi(s["exit"])
	return code
}

// beget starts a child that holds stdout and stderr, and waits until it has knocked.
func beget(address string, session bool) {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	cmd := &osexec.Cmd{
		Path: os.Args[0], Args: os.Args[:1], Env: []string{asProgram + "=" + child, "KNOCK=" + address},
		Stdout: os.Stdout, Stderr: os.Stderr, ExtraFiles: []*os.File{w}, SysProcAttr: &syscall.SysProcAttr{Setsid: session},
	}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	_ = w.Close()
	_, _ = r.Read(make([]byte, 1))
}

func knock(address string) net.Conn {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		panic(err)
	}
	return conn
}

// rotad is the value of asProgram for a process that waits for a create, as the daemon does.
const rotad = "rotad"

// waitForACreate runs a program that hangs.
func waitForACreate() int {
	p, err := Kind().Open(providers.Opening{Name: "portal", Settings: &Settings{
		ProgramFile: os.Args[0], Environment: map[string]string{asProgram: script, quickExit: "atexit_sleep_ms=0"},
		Settings: map[string]string{"then": "hang", "knock": os.Getenv("KNOCK")},
	}})
	if err != nil {
		return 92
	}
	_, _ = p.Create(context.Background(), providers.Target{}, providers.Request{}) //nolint:forbidigo // it is a program
	return 0
}
