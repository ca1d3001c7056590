package rollout

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"

	"github.com/rotad/rotad/internal/credential"
)

// prefix of the annotations that say what the pods were restarted for.
const prefix = "restarted.rotad.dev/"

// short are names that an annotation may have below its prefix
// (https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/#syntax-and-character-set).
var short = regexp.MustCompile(`^[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$`)

// annotation is the name of a client's mark. Two clients never share one.
func annotation(client string) string {
	if short.MatchString(client) && len(client) != len(hashed("")) {
		return prefix + client
	}
	return prefix + hashed(client)
}

// hashed stands for an id that no annotation can be called by.
func hashed(client string) string {
	sum := sha256.Sum256([]byte(client))
	return hex.EncodeToString(sum[:16])
}

// mark is what the annotation says.
func mark(o credential.Occasion) string {
	return fmt.Sprintf("client %s, version %d, rotation %s", o.Client, o.Version, o.Rotation)
}
