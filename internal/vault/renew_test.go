package vault_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
)

const (
	loginPath = "auth/approle/login"
	renewPath = "auth/token/renew-self"
)

func TestTokenIsRenewedAtTwoThirdsAndNeverEnds(t *testing.T) {
	byEvery(t, allLogins, time.Hour, func(t *testing.T, f *fixture) {
		if err := f.client.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.run()
		for begin := f.wall(); f.wall().Sub(begin) < 10*time.Hour; {
			if d := f.step(); d > time.Minute {
				t.Fatalf("slept %s at once: a machine that was suspended would wake too late", d)
			}
			if !f.client.TokenExpires().After(f.wall()) {
				t.Fatalf("the token ended at %s", f.client.TokenExpires())
			}
		}
		if logins, renewals := f.count(f.loginAt), f.count(renewPath); logins != 1 || renewals < 14 || renewals > 15 {
			t.Errorf("%d logins and %d renewals in ten hours of one-hour tokens", logins, renewals)
		}
	})
}

func TestTokenThatCanHardlyBeRenewedIsReplacedByALogin(t *testing.T) {
	byEvery(t, allLogins, time.Hour, func(t *testing.T, f *fixture) {
		if err := f.client.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.faults.Rewrite(sandbox.When{Path: renewPath}, func(body []byte) []byte {
			return bytes.ReplaceAll(body, []byte("3600"), []byte("900")) // near the end that Vault has set
		})
		f.run()
		for f.count(f.loginAt) < 2 {
			f.step()
		}
		<-f.asked // the loop has finished its round, and perhaps one more
		if got := f.client.TokenExpires().Sub(f.wall()); got < 59*time.Minute {
			t.Errorf("the new token lives for %s", got)
		}
		f.fire <- f.wall()
	})
}

func TestLoginIsTriedAgainWithGrowingPauses(t *testing.T) {
	byEvery(t, allLogins, time.Hour, func(t *testing.T, f *fixture) {
		f.kv.SetSealed(true)
		f.run()
		f.step() // the first look
		want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}
		for i, seconds := range want {
			if got := f.step(); got != seconds*time.Second {
				t.Fatalf("pause %d was %s, want %ds", i+1, got, seconds)
			}
		}
		f.kv.SetSealed(false)
		f.step()
		if got := f.step(); got != time.Minute {
			t.Errorf("after success the pause was %s", got)
		}
		if !f.client.TokenExpires().After(f.wall()) {
			t.Error("there is no living token")
		}
	})
}

func TestTokenThatEndedWhileTheMachineSleptIsReplaced(t *testing.T) {
	byEvery(t, roleLogins, time.Hour, func(t *testing.T, f *fixture) {
		if err := f.client.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.run()
		f.step()
		f.suspend(8 * time.Hour)
		f.step()
		<-f.asked
		if f.count(f.loginAt) != 2 || !f.client.TokenExpires().After(f.wall()) {
			t.Errorf("%d logins, and the token ends %s at %s", f.count(f.loginAt), f.client.TokenExpires(), f.wall())
		}
		f.fire <- f.wall()
	})
}

func TestLoopNeverSpins(t *testing.T) {
	f := newFixture(t, time.Second)
	f.run()
	for range 20 {
		if d := f.step(); d < 500*time.Millisecond {
			t.Fatalf("slept only %s", d)
		}
	}
}

func TestTokenWithoutEndIsLeftAlone(t *testing.T) {
	f := newFixture(t, 0)
	if got := f.client.TokenExpires(); got.IsZero() || got.After(f.wall()) {
		t.Errorf("without a token it is said to end %s", got)
	}
	if err := f.client.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.client.TokenExpires(); !got.IsZero() {
		t.Errorf("a token without an end ends %s", got)
	}
	f.run()
	for range 100 {
		f.step()
	}
	if n := f.count(loginPath) + f.count(renewPath); n != 1 {
		t.Errorf("%d logins and renewals", n)
	}
}

func TestTokenIsReadFromItsFileAgain(t *testing.T) {
	f := newFixture(t, time.Hour)
	f.kv.AddToken("token-1", time.Hour, leastGrants(t)...)
	path := file(t, "token-1")
	f.client = f.open(vault.Settings{Address: f.settings.Address, Auth: vault.Auth{TokenFile: path}})
	if err := f.client.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.pass(2 * time.Hour) // it has ended, and somebody has put another one there
	f.kv.AddToken("token-2", time.Hour, leastGrants(t)...)
	replace(t, path, "token-2")
	if _, err := f.client.Staging(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	if got := f.client.TokenExpires().Sub(f.wall()); got != time.Hour {
		t.Errorf("the new token lives for %s", got)
	}
}
