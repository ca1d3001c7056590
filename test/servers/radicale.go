package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

// Radicale is a running Radicale, a calendar server (CalDAV), with one calendar.
type Radicale struct {
	URL     string // of the calendar
	process *Process
}

// StartRadicale starts a calendar server whose calendar is empty. module is the directory of the tests' module.
func StartRadicale(ctx context.Context, cache Cache, module, dir string) (*Radicale, error) {
	python, err := InstallPython(ctx, cache, filepath.Join(module, "servers", "radicale"))
	if err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "radicale.conf")
	text := fmt.Sprintf("[server]\nhosts = 127.0.0.1:%d\n[auth]\ntype = none\n[storage]\nfilesystem_folder = %s\n",
		port, filepath.Join(dir, "radicale"))
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, fmt.Errorf("writing the calendar server's settings: %w", err)
	}
	process, err := Launch(Spec{
		Name: "radicale", Path: python, Args: []string{"-m", "radicale", "--config", config}, Dir: dir,
		Log: filepath.Join(dir, "radicale.log"),
	})
	if err != nil {
		return nil, err
	}
	r := &Radicale{URL: fmt.Sprintf("http://127.0.0.1:%d/owner/calendar/", port), process: process}
	err = Until(ctx, 30*time.Second, 50*time.Millisecond, func(ctx context.Context) error {
		if err := process.ended(); err != nil {
			return err
		}
		owner := &Radicale{URL: strings.TrimSuffix(r.URL, "calendar/")}
		if _, err := owner.ask(ctx, "MKCOL", "", nil); err != nil && !isStatus(err, http.StatusConflict) && !isStatus(err, http.StatusMethodNotAllowed) {
			return err
		}
		_, err := r.ask(ctx, "MKCALENDAR", "", nil)
		return err
	})
	if err != nil {
		tail := process.LogTail(20)
		process.Kill()
		return nil, fmt.Errorf("waiting for radicale: %w\n%s", err, tail)
	}
	return r, nil
}

// Put stores an object under a name, in the place of the one that has that name.
func (r *Radicale) Put(ctx context.Context, name string, object []byte) error {
	_, err := r.ask(ctx, http.MethodPut, name, object)
	return err
}

// Get returns the object of that name; found is false where there is none.
func (r *Radicale) Get(ctx context.Context, name string) (object []byte, found bool, err error) {
	object, err = r.ask(ctx, http.MethodGet, name, nil)
	if isStatus(err, http.StatusNotFound) {
		return nil, false, nil
	}
	return object, err == nil, err
}

// Delete removes the object of that name.
func (r *Radicale) Delete(ctx context.Context, name string) error {
	_, err := r.ask(ctx, http.MethodDelete, name, nil)
	return err
}

// All returns the whole calendar as one object, as people export it.
func (r *Radicale) All(ctx context.Context) ([]byte, error) {
	return r.ask(ctx, http.MethodGet, "", nil)
}

// ask sends one request to the calendar or to an object in it.
func (r *Radicale) ask(ctx context.Context, method, name string, object []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, r.URL+name, bytes.NewReader(object))
	if err != nil {
		return nil, fmt.Errorf("building a request to the calendar: %w", err)
	}
	if object != nil {
		req.Header.Set("Content-Type", "text/calendar; charset=utf-8")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the calendar: %w", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, fmt.Errorf("reading the calendar's answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, &StatusError{Method: method, Path: req.URL.Path, Status: resp.StatusCode, Body: string(body)}
	}
	return body, nil
}

// Stop ends the server.
func (r *Radicale) Stop() { r.process.Kill() }
