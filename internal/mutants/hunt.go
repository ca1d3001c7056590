package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// result is what became of a mutant.
type result struct {
	mutant
	said
	killed bool
	why    string // it is not
	took   time.Duration
}

// baselines are the tests without any break, each run once.
type baselines struct {
	mu   sync.Mutex
	once map[string]func() (said, error)
}

// of runs a mutant's test in a copy that is whole, unless that has been done.
func (b *baselines) of(ctx context.Context, tree string, m mutant) (said, error) {
	key := m.pkg + " " + m.test
	b.mu.Lock()
	run, ok := b.once[key]
	if !ok {
		run = sync.OnceValues(func() (said, error) { return ask(ctx, tree, m) })
		b.once[key] = run
	}
	b.mu.Unlock()
	return run()
}

// hunt breaks copies of the tree with one mutant after the other, several copies side by side, and prints what became of
// each in their order.
func hunt(ctx context.Context, s settings, mutants []mutant, out io.Writer) ([]result, error) {
	scratch, err := os.MkdirTemp("", "rotad-mutants-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	paths, err := files(ctx, s.tree)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	h := &hunters{
		mutants: mutants, results: make([]*result, len(mutants)), out: out,
		base: &baselines{once: map[string]func() (said, error){}},
	}
	errs := make([]error, min(s.copies, len(mutants)))
	var wg sync.WaitGroup
	for i := range errs {
		tree := filepath.Join(scratch, strconv.Itoa(i))
		if err := copyTree(s.tree, tree, paths); err != nil {
			return nil, err
		}
		wg.Go(func() {
			if errs[i] = h.work(ctx, tree); errs[i] != nil {
				stop()
			}
		})
	}
	wg.Wait()
	return h.collect(), errors.Join(errs...)
}

// hunters share the mutants of a run.
type hunters struct {
	mutants []mutant
	base    *baselines
	out     io.Writer

	mu      sync.Mutex
	next    int
	shown   int
	results []*result
}

// work takes mutants until there are none left.
func (h *hunters) work(ctx context.Context, tree string) error {
	for {
		h.mu.Lock()
		i := h.next
		h.next++
		h.mu.Unlock()
		if i >= len(h.mutants) {
			return nil
		}
		r, err := h.try(ctx, tree, h.mutants[i])
		if err != nil {
			return fmt.Errorf("%s: %w", h.mutants[i].name, err)
		}
		h.done(i, r)
	}
}

// try breaks a copy with one mutant, asks its test, and mends the copy.
func (h *hunters) try(ctx context.Context, tree string, m mutant) (result, error) {
	base, err := h.base.of(ctx, tree, m)
	if err != nil {
		return result{}, err
	}
	if base.verdict != passed {
		return result{mutant: m, said: base, why: "without the break its test " + string(base.verdict)}, nil
	}
	undo, err := m.apply(tree)
	if err != nil {
		return result{mutant: m, why: err.Error()}, nil
	}
	began := time.Now()
	answer, err := ask(ctx, tree, m)
	r := result{mutant: m, said: answer, took: time.Since(began)}
	r.killed = answer.verdict == failed || m.dies && answer.verdict == panicked
	if !r.killed {
		r.why = "its test " + string(answer.verdict)
	}
	return r, errors.Join(err, undo())
}

// done takes a result in and prints all that can be printed in order.
func (h *hunters) done(i int, r result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.results[i] = &r
	for h.shown < len(h.results) && h.results[h.shown] != nil {
		_, _ = fmt.Fprintln(h.out, h.results[h.shown])
		h.shown++
	}
}

func (h *hunters) collect() []result {
	var all []result
	for _, r := range h.results {
		if r != nil {
			all = append(all, *r)
		}
	}
	return all
}
