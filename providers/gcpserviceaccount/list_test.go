package gcpserviceaccount_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

func TestAProjectIsWalkedPageByPage(t *testing.T) {
	w := newProject(t, sandbox.GoogleSettings{})
	for i := range 21 {
		if _, err := w.Register(fmt.Sprintf("job-%d", i), false); err != nil {
			t.Fatal(err)
		}
	}
	w.SwitchOff("job-7")
	lister, _ := providers.AsLister(w.open(t, w.own, nil))
	seen, pages, cursor := map[string]providers.Listed{}, 0, ""
	for {
		page, err := lister.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		if page.Requests != 1+len(page.Clients) {
			t.Errorf("%d requests for %d accounts", page.Requests, len(page.Clients))
		}
		for _, c := range page.Clients {
			seen[c.Ref["service_account"]] = c
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 23 || pages != 2 {
		t.Errorf("%d accounts on %d pages", len(seen), pages)
	}
	if c := seen[w.Email("job-8")]; !c.Whole || c.Unusable != "" || c.Name != "Job-8" || len(c.Snapshot.Secrets) != 1 {
		t.Errorf("%+v", c)
	}
	if c := seen[w.Email("rotad")]; !strings.Contains(c.Unusable, "rotad logs in with it") {
		t.Errorf("its own account: %+v", c)
	}
	if c := seen[w.Email("job-7")]; c.Unusable == "" {
		t.Errorf("it is disabled: %+v", c)
	}
}
