package jwks

// DecodeSet lets a fuzz target read what stands in a directory.
func DecodeSet(raw []byte) (ids []string, err error) {
	_, entries, err := decodeSet(raw)
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids, err
}
