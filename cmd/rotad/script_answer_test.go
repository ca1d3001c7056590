package main

import (
	"context"
	"io"
	"mime/quotedprintable"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// addPublic gives a script an address to listen to people on, and a day that is near enough to be warned of.
func addPublic(e *testscript.Env) error {
	address, err := freeAddress()
	e.Setenv("PUBLIC", address)
	e.Setenv("SOON", time.Now().UTC().AddDate(0, 0, 20).Format(time.DateOnly))
	return err
}

// readLetter waits for a mail with links, and writes one of them into a file: letter ack|snooze file.
func readLetter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: letter ack|snooze file")
	}
	at := map[string]int{"ack": 0, "snooze": 1}[args[0]]
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for limit := time.After(awaitLimit); ; {
		if links := linksOf(ts); len(links) > at {
			ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(links[at]+"\n"), 0o600))
			return
		}
		select {
		case <-limit:
			ts.Fatalf("no mail has a link")
		case <-pause.C:
		}
	}
}

// linksOf returns the links in the text of the first mail that has some.
func linksOf(ts *testscript.TestScript) []string {
	files, err := filepath.Glob(ts.MkAbs("mail/*.eml"))
	ts.Check(err)
	for _, file := range files {
		plain, _ := io.ReadAll(quotedprintable.NewReader(strings.NewReader(ts.ReadFile(file)))) // what of it is no such text does not matter
		text, _, _ := strings.Cut(string(plain), "<!DOCTYPE")
		if links := answerLink.FindAllString(text, -1); len(links) > 0 {
			return links
		}
	}
	return nil
}

// visits opens a link out of a file, and compares status and page: visits 200 POST file pattern answer=ack.
func visits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: visits status method file pattern [body]")
	}
	at := strings.TrimSpace(ts.ReadFile(args[2]))
	if strings.HasPrefix(at, "/") {
		at = "http://" + ts.Getenv("PUBLIC") + at
	}
	reply := knock(ts, args[1], at, strings.Join(args[4:], "&"))
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(reply.Body)
	ts.Check(err)
	if strconv.Itoa(reply.StatusCode) != args[0] || !regexp.MustCompile(args[3]).Match(body) {
		ts.Fatalf("status %d, want %s: %s", reply.StatusCode, args[0], body)
	}
}

// knock asks until somebody listens: a daemon that has just begun has not opened all of its doors.
func knock(ts *testscript.TestScript, method, at, body string) *http.Response {
	ctx, stop := context.WithTimeout(context.Background(), awaitLimit)
	defer stop()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for {
		r, err := http.NewRequestWithContext(context.Background(), method, at, strings.NewReader(body))
		ts.Check(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		reply, err := http.DefaultClient.Do(r)
		if err == nil {
			return reply
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("nobody listens: %v", err)
		case <-pause.C:
		}
	}
}
