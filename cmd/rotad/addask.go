package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/rotad/rotad/internal/config"
)

// questions asks a person at a terminal.
type questions struct {
	in      *bufio.Reader
	out     io.Writer
	nothing string // what has come of it where nobody answers
}

const nothingRegistered = "nothing was registered"

// askClient asks for what the flags leave out, where somebody sits at a terminal. It returns nil where nothing had to be
// asked: then the flags are the whole, as for a program.
func (a *app) askClient(ctx context.Context, f *addFlags, args *[]string) (*questions, error) {
	in, terminal := a.in.(*os.File)
	complete := len(*args) > 0 && f.provider != "" && f.owner != "" && f.path != ""
	if !terminal || !term.IsTerminal(int(in.Fd())) || f.file != "" || complete {
		return nil, nil //nolint:nilnil // nobody was asked
	}
	cfg, err := a.plainConfig()
	if err != nil {
		return nil, err
	}
	q := &questions{bufio.NewReader(in), a.err, nothingRegistered}
	return q, q.client(ctx, cfg, f, args)
}

func (q *questions) client(ctx context.Context, cfg *config.Config, f *addFlags, args *[]string) error {
	var names []string
	for _, p := range cfg.Providers {
		names = append(names, p.Name)
	}
	if err := q.choose(ctx, "provider", names, &f.provider); err != nil {
		return err
	}
	id := strings.Join(*args, "")
	if err := q.fill(ctx, "id, as people will call it", "", &id); err != nil {
		return err
	}
	*args = []string{id}
	if provider, known := cfg.Provider(f.provider); known && len(f.ref) == 0 {
		if err := q.ref(ctx, provider, id, f); err != nil {
			return err
		}
	}
	if err := q.choose(ctx, "owner", slices.Sorted(maps.Keys(cfg.Owners)), &f.owner); err != nil {
		return err
	}
	return q.fill(ctx, "path in Vault, below the mount", "apps/"+id, &f.path)
}

// ref asks for what the provider calls the client. Of fields that are optional, one is enough.
func (q *questions) ref(ctx context.Context, p config.Provider, id string, f *addFlags) error {
	f.ref = map[string]string{}
	for _, field := range refFields(p.Ref) {
		name, optional := strings.CutSuffix(field, "?")
		if optional && len(f.ref) > 0 {
			continue
		}
		standard := id
		if optional {
			standard = ""
		}
		value, err := q.ask(ctx, fmt.Sprintf("%s at %s", name, p.Name), standard)
		if err != nil {
			return err
		}
		if value != "" {
			f.ref[name] = value
		}
	}
	return nil
}

// tries is how often a question is repeated whose answer cannot be used.
const tries = 3

// choose asks for one of the names that the configuration knows, unless a flag has said it.
func (q *questions) choose(ctx context.Context, what string, names []string, value *string) error {
	if *value != "" {
		return nil
	}
	standard := ""
	if len(names) == 1 {
		standard = names[0]
	}
	for range tries {
		answer, err := q.ask(ctx, what+" ("+strings.Join(names, ", ")+")", standard)
		if err != nil {
			return err
		}
		if slices.Contains(names, answer) {
			*value = answer
			return nil
		}
		_, _ = fmt.Fprintf(q.out, "there is no %s %q\n", what, answer)
	}
	return wrong(fmt.Errorf("no %s was chosen", what), nothingRegistered+"; the configuration names them: "+strings.Join(names, ", "))
}

// fill asks for a text that cannot be empty, unless a flag has said it.
func (q *questions) fill(ctx context.Context, what, standard string, value *string) error {
	for range tries {
		if *value != "" {
			return nil
		}
		answer, err := q.ask(ctx, what, standard)
		if err != nil {
			return err
		}
		*value = answer
	}
	if *value == "" {
		return wrong(fmt.Errorf("%s: nothing was typed", what), nothingRegistered)
	}
	return nil
}

// confirm asks for the last word.
func (q *questions) confirm(ctx context.Context, id string) error {
	answer, err := q.ask(ctx, "register "+id+"? yes or no", "no")
	switch {
	case err != nil:
		return err
	case answer == "yes" || answer == "y":
		return nil
	}
	return refused(errors.New(nothingRegistered), "rotad add asks again")
}

// ask puts a question, with its standard answer in brackets, and returns the answer. An interrupt ends the wait.
func (q *questions) ask(ctx context.Context, question, standard string) (string, error) {
	if standard != "" {
		question += " [" + standard + "]"
	}
	_, _ = fmt.Fprint(q.out, question+": ")
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := q.in.ReadString('\n')
		answers <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", failed(errors.New("interrupted"), q.nothing)
	case got := <-answers:
		text := strings.TrimSpace(got.text)
		switch {
		case got.err != nil:
			return "", wrong(errors.New("the terminal was closed before the last question"), q.nothing)
		case text == "":
			return standard, nil
		}
		return text, nil
	}
}
