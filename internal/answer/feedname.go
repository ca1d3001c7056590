package answer

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// feedEnding is how the address of a feed ends: some programs take a calendar for one by that alone.
const feedEnding = ".ics"

// FeedURL is the address of the feed of an owner. Another generation has another one, and those before it lead nowhere.
func FeedURL(root string, key credential.Sensitive, owner string, generation uint64) (string, error) {
	name, err := feedName(key, owner, generation)
	return strings.TrimRight(root, "/") + "/calendar/" + name + feedEnding, err
}

// feedName cannot be guessed: it says the owner and proves that who wrote it has the key.
func feedName(key credential.Sensitive, owner string, generation uint64) (string, error) {
	mac, err := seal(key, "calendar", fmt.Appendf(nil, "%d:%s\n%d\n", len(owner), owner, generation))
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(owner)) + "." + encode(mac), nil
}

// feedOwner returns the owner whose feed a name is. It takes the same steps for an owner that does not exist.
func feedOwner(
	ctx context.Context, key credential.Sensitive, file string, generation func(ctx context.Context, owner string) (uint64, error),
) (string, error) {
	name, isFeed := strings.CutSuffix(file, feedEnding)
	encoded, _, _ := strings.Cut(name, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || !isFeed || len(file) > maxLink {
		return "", errWrong
	}
	owner := string(raw)
	now, err := generation(ctx, owner)
	if err != nil {
		return "", err
	}
	right, err := feedName(key, owner, now)
	switch {
	case err != nil:
		return "", err
	case !hmac.Equal([]byte(name), []byte(right)):
		return "", errWrong
	}
	return owner, nil
}
