package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Portal is where a person makes secrets by hand, because there is no API for it.
type Portal struct{ idp *IdP }

// Portal returns the portal of this identity provider. Its form stands below PathPortal.
func (p *IdP) Portal() Portal { return Portal{idp: p} }

// NewSecret makes a secret beside those that exist, and shows it once. It expires after Settings.PortalTTL.
func (o Portal) NewSecret(clientID string) (value string, expires time.Time, err error) {
	ttl := o.idp.settings.PortalTTL
	start := o.idp.now()
	_, value, err = o.idp.Issue(clientID, Issue{Label: "portal", TTL: ttl, KeepOld: -1})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("making a secret in the portal: %w", err)
	}
	return value, start.Add(ttl), nil
}

// RemoveOld removes every secret of a client but the newest, and returns how many those were.
func (o Portal) RemoveOld(clientID string) (int, error) {
	c, err := o.idp.client(clientID)
	if err != nil {
		return 0, fmt.Errorf("removing old secrets in the portal: %w", err)
	}
	now := o.idp.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	present := c.present()
	if len(present) < 2 {
		return 0, nil
	}
	old := slices.Clone(present[:len(present)-1])
	for _, v := range old {
		v.remove(now)
	}
	return len(old), nil
}

func (p *IdP) portalRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+PathPortal, p.portalForm)
	mux.HandleFunc("POST "+PathPortal+"/new", p.portalNew)
	mux.HandleFunc("POST "+PathPortal+"/remove-old", p.portalRemoveOld)
}

const portalPage = `<!doctype html>
<title>Portal</title>
<form method="post"><label>Client <input name="client_id" required></label>
<button formaction="` + PathPortal + `/new">New secret</button>
<button formaction="` + PathPortal + `/remove-old">Remove all but the newest</button></form>
`

func (p *IdP) portalForm(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(portalPage))
}

func (p *IdP) portalNew(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	value, expires, err := p.Portal().NewSecret(r.PostFormValue("client_id"))
	if err != nil {
		http.Error(w, "no such client", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintf(w, "%s\nexpires %s\n", value, expires.UTC().Format(time.RFC3339)) //nolint:gosec // plain text, said to be so
}

func (p *IdP) portalRemoveOld(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	n, err := p.Portal().RemoveOld(r.PostFormValue("client_id"))
	if err != nil {
		http.Error(w, "no such client", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintf(w, "%d removed\n", n) //nolint:gosec // plain text, said to be so
}
