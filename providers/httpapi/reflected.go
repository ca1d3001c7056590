package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// piece is how many characters of what was sent make a name that the server gives a piece of it.
const piece = 12

// reflected says whether the server's name of a call, or of what went wrong, holds a piece of what was sent: some servers
// and proxies make it of the request. It would carry a secret into errors and logs.
func (r Request) reflected(id string, sent http.Header) bool {
	if len(id) < piece {
		return false
	}
	var all strings.Builder
	for name, values := range sent {
		if name == "Client-Request-Id" { // the caller's own name of the call
			continue
		}
		for _, value := range values {
			_, login, _ := strings.Cut(value, " ")
			plain, _ := base64.StdEncoding.DecodeString(login) // of Basic; anything else is not decoded, and needs not be
			all.WriteString(value + "\n" + string(plain) + "\n")
		}
	}
	for _, values := range r.Form {
		all.WriteString(strings.Join(values, "\n") + "\n")
	}
	all.Write(r.Body)
	if r.JSON != nil {
		raw, _ := encode(r.JSON) // it has been encoded before
		var body any
		_ = json.Unmarshal(raw, &body)
		writeTexts(&all, body)
	}
	text := notID.ReplaceAllString(all.String(), "")
	for at := 0; at+piece <= len(id); at++ {
		if strings.Contains(text, id[at:at+piece]) {
			return true
		}
	}
	return false
}

// writeTexts writes every text in what was sent as JSON. The names of its fields carry no secret, and the code of an error
// may well hold one of them (InvalidPasswordCredential), so they are left out.
func writeTexts(all *strings.Builder, sent any) {
	switch sent := sent.(type) {
	case string:
		all.WriteString(sent + "\n")
	case []any:
		for _, value := range sent {
			writeTexts(all, value)
		}
	case map[string]any:
		for _, value := range sent {
			writeTexts(all, value)
		}
	}
}
