package telekom

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

var (
	errAddress   = errors.New("the URL cannot be parsed")
	errBlob      = errors.New("ROVER_TOKEN is not what roverctl takes: [environment--group--team.] and base64 of a JSON object")
	errBlobEmpty = errors.New("ROVER_TOKEN holds no client_id or no client_secret")
)

// blob is what a ROVER_TOKEN holds, as the control plane hands it to a team. Its secret in clear leaves this file only into
// a login.
type blob struct {
	Group        string `json:"group"`
	Team         string `json:"team"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	TokenURL     string `json:"token_url"`
	Server       string `json:"server_url"`
}

// readBlob reads the team's ROVER_TOKEN afresh.
func readBlob(o providers.Opening) (blob, error) {
	text, err := o.Secret("rover_token")
	if err != nil {
		return blob{}, err
	}
	return parseBlob(text)
}

// parseBlob reads a ROVER_TOKEN. The prefix, where there is one, counts before the object. Errors repeat nothing of it.
func parseBlob(text string) (blob, error) {
	prefix, encoded := "", strings.TrimSpace(text)
	if at := strings.LastIndexByte(encoded, '.'); at >= 0 { // base64 has no dot
		prefix, encoded = encoded[:at], encoded[at+1:]
	}
	raw, err := decodeBase64(encoded)
	if err != nil {
		return blob{}, errBlob
	}
	var held blob
	if httpapi.Unmarshal(credential.NewSensitive(string(raw)), &held) != nil {
		return blob{}, errBlob
	}
	if parts := strings.Split(prefix, "--"); len(parts) >= 3 {
		held.Group, held.Team = parts[1], parts[2]
	}
	if held.ClientID == "" || held.ClientSecret == "" {
		return blob{}, errBlobEmpty
	}
	return held, nil
}

// decodeBase64 takes both alphabets, with and without padding: a blob is copied by people.
func decodeBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	return base64.RawStdEncoding.DecodeString(text)
}
