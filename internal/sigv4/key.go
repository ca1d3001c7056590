package sigv4

import (
	"errors"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// Key is an access key. The zero value signs nothing.
type Key struct {
	ID      string               // AKIA..., ASIA...
	Secret  credential.Sensitive // secret access key
	Session credential.Sensitive // session token of a temporary key; empty = a lasting one
}

var errNoKey = errors.New("the credentials hold no aws_access_key_id with an aws_secret_access_key")

// Parse reads a key as AWS's credentials file has it: lines "name = value". Of several profiles the first counts. The error
// repeats nothing of the text.
func Parse(text string) (Key, error) {
	var k Key
	profiles := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			if profiles++; profiles > 1 {
				break
			}
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "aws_access_key_id":
			k.ID = value
		case "aws_secret_access_key":
			k.Secret = credential.NewSensitive(value)
		case "aws_session_token":
			k.Session = credential.NewSensitive(value)
		}
	}
	if k.ID == "" || k.Secret.Empty() {
		return Key{}, errNoKey
	}
	return k, nil
}
