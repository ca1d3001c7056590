package servers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// sourceName names a build by the bytes that it is made from, so that a changed source is built anew.
func sourceName(name, dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("reading the source of %s: there is none in %s", name, dir)
	}
	sum := sha256.New()
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading the source of %s: %w", name, err)
		}
		sum.Write(fmt.Appendf(nil, "%s %d\n", filepath.Base(file), len(raw)))
		sum.Write(raw)
	}
	return name + "-" + hex.EncodeToString(sum.Sum(nil))[:12], nil
}
