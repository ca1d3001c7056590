package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rotad/rotad/internal/sandbox"
)

const (
	scriptKey   = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	scriptToken = "AbCdEfGhIjKlMnOpQrStUvWx"
)

// addPlaces gives a script a receiver of webhooks at $HOOK with its key in the file "webhook", a Slack whose URL is in the file
// "slack", and one that Slack does not know any more in "slack-old".
func (w *scriptWorld) addPlaces(e *testscript.Env) error {
	w.hook, w.slack = sandbox.NewHook(time.Now, scriptKey), sandbox.NewSlack(scriptToken)
	hook, slack := httptest.NewServer(w.hook), httptest.NewServer(w.slack)
	e.Defer(hook.Close)
	e.Defer(slack.Close)
	e.Setenv("HOOK", hook.URL+sandbox.PathHook)
	for name, content := range map[string]string{
		"webhook": scriptKey, "slack": slack.URL + sandbox.PathSlack + scriptToken, "slack-old": slack.URL + sandbox.PathSlack + "old-" + scriptToken,
	} {
		if err := os.WriteFile(filepath.Join(e.WorkDir, name), []byte(content+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// hears waits until a receiver was told something that matches: told hook '"type":"dev.rotad.notice.rotated"'.
func hears(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: told hook|slack pattern")
	}
	pattern := regexp.MustCompile(args[1])
	found := func() bool {
		return slices.ContainsFunc(scripted(ts).bodies(args[0]), pattern.Match)
	}
	if neg {
		if found() {
			ts.Fatalf("%s was told %s", args[0], args[1])
		}
		return
	}
	limit, pause := time.After(awaitLimit), time.NewTicker(50*time.Millisecond)
	defer pause.Stop()
	for !found() {
		select {
		case <-limit:
			ts.Fatalf("%s was told nothing that matches %s", args[0], args[1])
		case <-pause.C:
		}
	}
}

// bodies are what a receiver has taken.
func (w *scriptWorld) bodies(receiver string) (all [][]byte) {
	if receiver == "slack" {
		for _, card := range w.slack.Cards() {
			all = append(all, card.Raw)
		}
		return all
	}
	for _, e := range w.hook.Events() {
		all = append(all, e.Body)
	}
	return all
}
