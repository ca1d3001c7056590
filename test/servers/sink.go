package servers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

const sinkProgram = "/usr/sbin/smtp-sink"

// SourceProgram is Postfix's smtp-source, which is there once a sink has been started.
const SourceProgram = "/usr/sbin/smtp-source"

// Sink is Postfix's smtp-sink: a server without TLS that takes every mail, or refuses what it is told to refuse.
type Sink struct {
	Port    int
	dir     string
	keeps   bool // one file per mail
	process *Process
}

// StartVoid starts a sink that keeps nothing, for measuring.
func StartVoid(ctx context.Context, cache Cache, dir string) (*Sink, error) {
	return startSink(ctx, cache, dir, false)
}

// StartSink starts a sink. Refusals are arguments of smtp-sink: "-r", "RCPT" answers RCPT with 450, "-f", "RCPT" with
// 500, "-q", "DATA" hangs up.
func StartSink(ctx context.Context, cache Cache, dir string, refusals ...string) (*Sink, error) {
	return startSink(ctx, cache, dir, true, refusals...)
}

func startSink(ctx context.Context, cache Cache, dir string, keeps bool, refusals ...string) (*Sink, error) {
	if err := InstallPostfix(ctx, cache); err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	s := &Sink{Port: port, dir: filepath.Join(dir, "sink"), keeps: keeps}
	if err := os.Mkdir(s.dir, 0o777); err != nil {
		return nil, fmt.Errorf("making the sink's directory: %w", err)
	}
	if err := os.Chmod(s.dir, 0o777); err != nil { // the sink runs as "nobody"
		return nil, fmt.Errorf("opening the sink's directory: %w", err)
	}
	return s, s.Restart(ctx, refusals...)
}

// Restart starts a stopped sink again, on its port, with other refusals.
func (s *Sink) Restart(ctx context.Context, refusals ...string) error {
	args := slices.Clone(refusals)
	if s.keeps {
		args = append(args, "-d", "%M.")
	}
	var err error
	s.process, err = Launch(Spec{
		Name: "smtp-sink", Path: sinkProgram, User: "nobody", Args: append(args, fmt.Sprintf("127.0.0.1:%d", s.Port), "10"),
		Dir: s.dir, Log: filepath.Join(filepath.Dir(s.dir), "sink.log"),
	})
	if err != nil {
		return err
	}
	return Until(ctx, 10*time.Second, 50*time.Millisecond, func(ctx context.Context) error {
		if err := s.process.ended(); err != nil {
			return err
		}
		return greeting(ctx, s.Port)
	})
}

// Stop stops the sink; connections to it are refused from then on.
func (s *Sink) Stop() { _ = s.process.Stop(2 * time.Second) }

// Mails reads the mails that the sink has taken completely.
func (s *Sink) Mails() ([]Mail, error) {
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil {
		return nil, fmt.Errorf("listing the sink's mails: %w", err)
	}
	var mails []Mail
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a mail: %w", err)
		}
		m, err := ParseMail(raw)
		if err != nil || m.ID == "" {
			continue // a transaction that was refused leaves an empty file behind
		}
		mails = append(mails, m)
	}
	return mails, nil
}
