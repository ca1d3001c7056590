package jwks

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".json")
	if !ok || name == "" {
		http.NotFound(w, r)
		return
	}
	raw, err := os.ReadFile(p.file(name))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(raw)
	h := w.Header()
	h.Set("Content-Type", "application/jwk-set+json") // RFC 7517 section 8.5.2
	h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(p.maxAge.Seconds())))
	h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(raw)) // which answers 304 by the ETag, and HEAD
}
