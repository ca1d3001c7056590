package reload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/rotad/rotad/internal/credential"
)

// client follows no redirect: the token goes where it was meant to go.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// request asks a consumer to take the new secret. Any 2xx is a yes.
func request(ctx context.Context, q *credential.RequestReload) error {
	r, err := http.NewRequestWithContext(ctx, q.MethodName(), q.URL, nil)
	if err != nil {
		return errors.New("the request cannot be built")
	}
	if err = authorize(r, q.TokenFile); err != nil {
		return err
	}
	answer, err := client.Do(r)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16))
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("the consumer answered %d", answer.StatusCode)
	}
	return nil
}

// authorize reads the token each time: whoever keeps it may replace it.
func authorize(r *http.Request, tokenFile string) error {
	if tokenFile == "" {
		return nil
	}
	token, err := os.ReadFile(tokenFile) //nolint:gosec // the configuration names it
	if err != nil {
		return fmt.Errorf("reading the token: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(token)))
	return nil
}
