package world

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rotad/rotad/test/servers"
)

// Consumer logs in all the time with what Vault hands out, as the services do that rotad works for.
type Consumer struct {
	name   string
	read   func(context.Context) (servers.Stored, error)
	accept func(context.Context, servers.Stored) (bool, error)
	cancel context.CancelFunc
	done   chan struct{}

	mu         sync.Mutex
	logins     int
	violations []string
}

// Consume starts a consumer of a client in Keycloak; the scenario fails if it is ever cut off.
func (w *World) Consume(id string) *Consumer {
	k := w.Keycloak(w.T)
	return w.consume(id, func(ctx context.Context, s servers.Stored) (bool, error) {
		return k.Accepts(ctx, w.Name, id, s.Text("client_secret"))
	})
}

// ConsumeAppRole starts a consumer of an AppRole of that name; the scenario fails if it is ever cut off.
func (w *World) ConsumeAppRole(id string) *Consumer {
	return w.consume(id, func(ctx context.Context, s servers.Stored) (bool, error) {
		return w.Vault.Login(ctx, s.Text("role_id"), s.Text("secret_id"))
	})
}

func (w *World) consume(id string, accept func(context.Context, servers.Stored) (bool, error)) *Consumer {
	ctx, cancel := context.WithCancel(w.T.Context())
	c := &Consumer{name: id, accept: accept, cancel: cancel, done: make(chan struct{})}
	c.read = func(ctx context.Context) (servers.Stored, error) {
		stored, err := w.Vault.Get(ctx, AppPath(id), 0)
		w.values.add(stored.Text("client_secret"))
		w.values.add(stored.Text("secret_id"))
		return stored, err
	}
	go c.loop(ctx)
	w.T.Cleanup(func() {
		c.Stop()
		if c.Logins() == 0 {
			w.T.Errorf("the consumer of %s never logged in", id)
		}
		for _, v := range c.Violations() {
			w.T.Error(v)
		}
	})
	return c
}

func (c *Consumer) loop(ctx context.Context) {
	defer close(c.done)
	for ctx.Err() == nil {
		c.login(ctx)
		servers.Pause(ctx, 300*time.Millisecond)
	}
}

// login counts a violation when what Vault hands out is refused, and refused again after reading Vault once more. A
// server that is down is nobody's violation.
func (c *Consumer) login(ctx context.Context) {
	var stored servers.Stored
	for range 2 {
		var err error
		stored, err = c.read(ctx)
		if err != nil || stored.Version == 0 {
			return
		}
		ok, err := c.accept(ctx, stored)
		if err != nil {
			return
		}
		if ok {
			c.mu.Lock()
			c.logins++
			c.mu.Unlock()
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.violations = append(c.violations, fmt.Sprintf("%s: the consumer of %s was refused with version %d, twice",
		time.Now().UTC().Format(time.TimeOnly), c.name, stored.Version))
}

// Stop ends the consumer.
func (c *Consumer) Stop() {
	c.cancel()
	<-c.done
}

// Logins is the number of logins that were accepted.
func (c *Consumer) Logins() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logins
}

// Violations are the times at which the consumer was cut off.
func (c *Consumer) Violations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.violations...)
}
