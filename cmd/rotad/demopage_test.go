package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/stage"
)

// visitor is somebody who looks at the page of a running demo, and remembers every byte that came from it.
type visitor struct {
	t    *testing.T
	url  string
	seen bytes.Buffer

	mu      sync.Mutex
	secrets []string // clear ones, of the demo's world
	end     context.CancelFunc
	done    chan error
}

// visit starts a demo and opens its page.
func visit(t *testing.T) *visitor {
	t.Helper()
	begin := demoBegin(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))
	ctx, end := context.WithCancel(t.Context())
	v := &visitor{t: t, end: end, done: make(chan error, 1)}
	world, err := newDemoWorld(ctx, newDemoClock(begin), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	world.kv.OnWrite(func(w sandbox.KVWrite) {
		v.remember(w)
		world.wrote(w)
	})
	for _, secret := range world.secrets {
		v.secrets = append(v.secrets, secret)
	}
	out, in := io.Pipe()
	a := &app{out: in, err: io.Discard}
	go func() {
		err := a.playIn(ctx, world, begin, 20*demoDay, demoFlags{page: "127.0.0.1:0", haste: 20, dir: world.dir})
		v.done <- err
		_ = world.close()
	}()
	v.url = addressIn(t, out)
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return v
}

// addressIn reads what a demo prints until it names its page.
func addressIn(t *testing.T, out io.Reader) string {
	t.Helper()
	named := regexp.MustCompile(`browser:  (http://\S+/)`)
	var text strings.Builder
	for buf := make([]byte, 4096); ; {
		n, err := out.Read(buf)
		text.Write(buf[:n])
		if m := named.FindStringSubmatch(text.String()); m != nil {
			return m[1]
		}
		if err != nil {
			t.Fatalf("%v: %s", err, text.String())
		}
	}
}

// remember keeps the clear values of a write.
func (v *visitor) remember(w sandbox.KVWrite) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, role := range demoCast() {
		if value, ok := w.Data[role.place.field].(string); ok && w.Path == role.place.path {
			v.secrets = append(v.secrets, value)
		}
	}
}

func (v *visitor) send(method, path, body string) (int, string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Origin", strings.TrimSuffix(v.url, "/"))
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	v.seen.Write(text)
	return answer.StatusCode, string(text)
}

// press presses a button.
func (v *visitor) press(act stage.Act, client string) (int, string) {
	v.t.Helper()
	return v.send(http.MethodPost, "do", fmt.Sprintf(`{"act":%q,"client":%q}`, act, client))
}

// await looks at the page until it shows something.
func (v *visitor) await(what string, shown func(stage.Scene) bool) stage.Scene {
	v.t.Helper()
	var scene stage.Scene
	for began := time.Now(); time.Since(began) < time.Minute; {
		code, text := v.send(http.MethodGet, "scene", "")
		scene = stage.Scene{}
		if err := json.Unmarshal([]byte(text), &scene); err != nil || code != http.StatusOK {
			v.t.Fatalf("%d %v: %s", code, err, text)
		}
		if shown(scene) {
			return scene
		}
	}
	v.t.Fatalf("the page has not shown that %s: %+v", what, scene.Story)
	return scene
}

// leave ends the demo, and looks for clear secrets in all that was seen.
func (v *visitor) leave() {
	v.t.Helper()
	v.end()
	if err := <-v.done; err != nil {
		v.t.Error(err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.secrets) < 10 {
		v.t.Errorf("only %d secrets are known", len(v.secrets))
	}
	for _, secret := range v.secrets {
		if bytes.Contains(v.seen.Bytes(), []byte(secret)) {
			v.t.Error("the page has shown a clear secret")
		}
	}
}

func clientOf(s stage.Scene, id string) stage.Client {
	i := slices.IndexFunc(s.Clients, func(c stage.Client) bool { return c.ID == id })
	if i < 0 {
		return stage.Client{}
	}
	return s.Clients[i]
}

func TestDemoPageShowsWhatARotationDoes(t *testing.T) {
	v := visit(t)
	scene := v.await("services log in", func(s stage.Scene) bool {
		runs := clientOf(s, demoChosen).Runs
		return len(s.Clients) == len(demoCast()) && len(runs) == 2
	})
	if c := clientOf(scene, demoChosen); c.Versions[0].Label != "A" || c.Versions[0].By != demoBySetup || len(c.Forecast) == 0 || c.Next == "" {
		t.Errorf("at the beginning: %+v", c)
	}
	if code, said := v.press(stage.ActRotate, demoChosen); code != http.StatusOK {
		t.Errorf("rotate: %d %s", code, said)
	}
	scene = v.await("both services use the new secret", func(s stage.Scene) bool {
		last := map[string]string{}
		for _, run := range clientOf(s, demoChosen).Runs {
			last[run.By] = run.Label
		}
		return last[demoPrompt] == "B" && last[demoLate] == "B" && len(s.Mails) > 0 && len(s.Entries) > 0
	})
	c := clientOf(scene, demoChosen)
	if c.Versions[0].Label != "B" || c.Versions[0].State != "current" || c.Versions[0].By != demoByRotad || len(c.Spans) < 2 {
		t.Errorf("after it: %+v", c.Versions)
	}
	if code, mail := v.send(http.MethodGet, fmt.Sprintf("mail/%d", scene.Mails[0].N), ""); code != http.StatusOK || !strings.Contains(mail, "<html") {
		t.Errorf("the mail: %d", code)
	}
	v.leave()
}

func TestDemoPageSaysWhatRotadDidAboutABreak(t *testing.T) {
	for _, c := range []struct {
		act    stage.Act
		client string
	}{
		{stage.ActVault, demoGrace},
		{stage.ActIdP, demoCutover},
		{stage.ActSMTP, demoManual},
		{stage.ActHand, demoCutover},
		{stage.ActKill, demoChosen},
		{stage.ActKill, demoGrace}, // its value is lost: a person brings another one
	} {
		act, client := c.act, c.client
		t.Run(string(act)+" "+client, func(t *testing.T) {
			v := visit(t)
			v.await("services log in", func(s stage.Scene) bool {
				return !slices.ContainsFunc(s.Clients, func(c stage.Client) bool { return len(c.Runs) < 2 || c.Mode == "not known yet" })
			})
			if code, said := v.press(act, client); code != http.StatusOK {
				t.Fatalf("%d %s", code, said)
			}
			v.await("it is broken", func(s stage.Scene) bool {
				return len(s.Story) == 1 && slices.ContainsFunc(s.Story[0].Lines, func(l stage.Line) bool { return l.What == "broken" })
			})
			scene := v.await("it is over", func(s stage.Scene) bool { return !s.Story[0].Ended.IsZero() })
			chapter := scene.Story[0]
			if chapter.Act != act || chapter.Client != client || !strings.Contains(chapter.Verdict, "Vault hands out version") {
				t.Errorf("%+v", chapter)
			}
			for _, part := range scene.World {
				if !part.Good {
					t.Errorf("%s is %s at the end", part.Name, part.State)
				}
			}
			if scene.Counts.Violations != 0 {
				t.Errorf("%d violations: %+v", scene.Counts.Violations, scene.Feed)
			}
			v.leave()
		})
	}
}

func TestDemoPageRefusesWhatMakesNoSense(t *testing.T) {
	v := visit(t)
	v.await("every client is known, and its services log in", func(s stage.Scene) bool {
		return !slices.ContainsFunc(s.Clients, func(c stage.Client) bool { return len(c.Runs) < 2 || c.Mode == "not known yet" })
	})
	for _, c := range []struct {
		act    stage.Act
		client string
		says   string
	}{
		{stage.ActRotate, "nobody", "choose a client"},
		{"dance", demoChosen, "no such button"},
		{stage.ActRotate, demoManual, "manual"},
	} {
		if code, said := v.press(c.act, c.client); code != http.StatusConflict || !strings.Contains(said, c.says) {
			t.Errorf("%s %s: %d %s", c.act, c.client, code, said)
		}
	}
	for _, paused := range []bool{true, false} {
		if code, said := v.press(stage.ActPause, ""); code != http.StatusOK {
			t.Errorf("%d %s", code, said)
		}
		v.await("time stands or passes", func(s stage.Scene) bool { return s.Paused == paused })
	}
	v.leave()
}

func TestDemoPageIsOffWhereNobodyCouldRead(t *testing.T) {
	var parts sync.WaitGroup
	for _, p := range []*demoPlay{{app: &app{json: true}}, {app: &app{}, page: off}} {
		if address, err := p.openPage(t.Context(), &parts); address != "" || err != nil {
			t.Errorf("%q %v", address, err)
		}
	}
	p := &demoPlay{app: &app{}, page: "0.0.0.0:0"}
	if _, err := p.openPage(t.Context(), &parts); err == nil || !strings.Contains(err.Error(), "this machine only") {
		t.Errorf("%v", err)
	}
}
