package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// keys is what a first start yields. The unseal key is in hex, the form that sys/unseal takes.
type keys struct {
	RootToken string `json:"root_token"`
	UnsealKey string `json:"unseal_key"`
}

func newKeys(rootToken string, share []byte) keys {
	return keys{RootToken: rootToken, UnsealKey: hex.EncodeToString(share)}
}

// write puts the keys where only their owner reads them. It renames a complete file into place, because a server that
// is initialised and whose key is lost can never be opened again.
func (k keys) write(path string) error {
	raw, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("encoding the keys: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	if _, err := temp.Write(append(raw, '\n')); err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	if err := temp.Close(); err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	return nil
}

func readKeys(path string) (keys, error) {
	var k keys
	raw, err := os.ReadFile(path)
	if err != nil {
		return k, fmt.Errorf("reading the keys: %w", err)
	}
	if err := json.Unmarshal(raw, &k); err != nil {
		return k, fmt.Errorf("reading the keys from %s: %w", path, err)
	}
	return k, nil
}

func (k keys) unsealKey() ([]byte, error) {
	key, err := hex.DecodeString(k.UnsealKey)
	if err != nil {
		return nil, fmt.Errorf("reading the unseal key: it is not hexadecimal")
	}
	return key, nil
}
