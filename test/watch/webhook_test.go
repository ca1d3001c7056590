package watch_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// message is what Alertmanager posts to a webhook.
type message struct {
	Arrived  time.Time
	Receiver string            `json:"receiver"`
	Status   string            `json:"status"`
	Group    map[string]string `json:"groupLabels"`
	Alerts   []struct {
		Status      string            `json:"status"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"alerts"`
}

// firing lists the alerts of a message as "name client", sorted.
func (m message) firing() []string {
	var names []string
	for _, a := range m.Alerts {
		if a.Status == "firing" {
			names = append(names, a.Labels["alertname"]+" "+a.Labels["client"])
		}
	}
	slices.Sort(names)
	return names
}

// webhook keeps what it is told.
type webhook struct {
	URL string

	mu       sync.Mutex
	messages []message
}

func startWebhook(t *testing.T) *webhook {
	t.Helper()
	hook := &webhook{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := message{Arrived: time.Now()}
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		hook.mu.Lock()
		defer hook.mu.Unlock()
		hook.messages = append(hook.messages, m)
	}))
	t.Cleanup(server.Close)
	hook.URL = server.URL
	return hook
}

// to returns the messages of one receiver about one owner.
func (h *webhook) to(receiver, owner string) []message {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []message
	for _, m := range h.messages {
		if m.Receiver == receiver && m.Group["owner"] == owner {
			found = append(found, m)
		}
	}
	return found
}

// all returns every message.
func (h *webhook) all() []message {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.messages)
}
