package telekom

import (
	"context"

	"github.com/rotad/rotad/providers"
)

// Paced returns the same provider with another pause between two looks at a rotation that is under way.
func Paced(p providers.Provider, pause func(context.Context) error) providers.Provider {
	p.(*provider).pause = pause
	return p
}

// Blob reads a ROVER_TOKEN and returns what it says in clear.
func Blob(text string) (group, team, clientID, tokenURL, server string, err error) {
	b, err := parseBlob(text)
	return b.Group, b.Team, b.ClientID, b.TokenURL, b.Server, err
}
