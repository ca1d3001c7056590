package kills

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// asking is how long a server of the tests may take.
const asking = 15 * time.Second

// send sends a request and returns status and body.
func send(ctx context.Context, method, address, content string, body io.Reader) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return 0, nil, fmt.Errorf("building a request: %w", err)
	}
	if content != "" {
		req.Header.Set("Content-Type", content)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("asking a server of the tests: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, raw, err
}

func get(ctx context.Context, address string) error {
	status, _, err := send(ctx, http.MethodGet, address, "", http.NoBody)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s answers %d", address, status)
	}
	return err
}

// post asks the provider process for something; out may be nil.
func post(ctx context.Context, address string, in, out any) error {
	raw, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encoding a request: %w", err)
	}
	status, body, err := send(ctx, http.MethodPost, address, "application/json", bytes.NewReader(raw))
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s answers %d: %s", address, status, body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}

// login asks a token endpoint: yes, no, or neither.
func login(ctx context.Context, address, id, secret string) (bool, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	status, body, err := send(ctx, http.MethodPost, address, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	switch {
	case err != nil:
		return false, err
	case status == http.StatusOK:
		return true, nil
	case status == http.StatusUnauthorized:
		return false, nil
	}
	return false, fmt.Errorf("the token endpoint answers %d: %s", status, body)
}
