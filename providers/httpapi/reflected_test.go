package httpapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rotad/rotad/providers/httpapi"
)

// A code that the server makes of what was sent to it is not printed, for it may be a piece of a secret. A code that only
// holds the name of a field is what a person needs.
func TestCodeOfWhatWasSent(t *testing.T) {
	const secret = "CANARY-reflected-0123456789"
	for _, test := range []struct {
		code    string
		printed bool
	}{
		{"InvalidPasswordCredentials", true},
		{"invalid_client", true},
		{"bad.reflected-01234567", false},
		{secret, false},
	} {
		t.Run(test.code, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, `{"error": "`+test.code+`"}`)
			}))
			defer server.Close()
			client := connect(t, httpapi.Config{Transport: directly()}, server.URL)
			sent := change
			sent.JSON = map[string]any{"PasswordCredentials": []any{map[string]any{"value": secret}}}
			_, err := client.Do(t.Context(), sent)
			if err == nil || strings.Contains(err.Error(), test.code) != test.printed {
				t.Errorf("%v", err)
			}
		})
	}
}
