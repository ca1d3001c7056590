package credential_test

import (
	"bytes"
	"encoding"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
)

// TestAClearSecretIsNeverPrinted: whoever prints, logs or encodes a secret, alone or deep within something else, does
// not get its value.
func TestAClearSecretIsNeverPrinted(t *testing.T) {
	const value = "hunter2-hunter2"
	secret := credential.NewSensitive(value)
	bundle := credential.Bundle{credential.FieldClientSecret: secret}
	entry := credential.Entry{Version: 1, Staging: credential.Staging{Bundle: bundle, Raw: secret}}
	var out bytes.Buffer
	for _, v := range []any{secret, &secret, bundle, entry, &entry, struct{ Inner credential.Sensitive }{secret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v, fmt.Errorf("wrapping: %v", v))
		for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(handler).Info("message", "value", v, slog.Group("group", "value", v))
		}
		if text, err := json.Marshal(v); err == nil {
			out.Write(text)
		}
		if err := gob.NewEncoder(&out).Encode(v); err == nil {
			t.Errorf("%T was encoded by gob", v)
		}
	}
	if strings.Contains(out.String(), value) {
		t.Errorf("the value stands in\n%s", strings.ReplaceAll(out.String(), value, "<VALUE>"))
	}
	if hexed := fmt.Sprintf("%x", value); strings.Contains(strings.ToLower(out.String()), hexed) {
		t.Error("the value stands there in hexadecimal")
	}
}

// TestAnEncodedSecretIsAnError: an encoder that meets a secret is a defect, and the defect is loud.
func TestAnEncodedSecretIsAnError(t *testing.T) {
	secret := credential.NewSensitive("hunter2-hunter2")
	if _, err := json.Marshal(credential.Bundle{"client_secret": secret}); err == nil {
		t.Error("a bundle was encoded as JSON")
	}
	for _, encode := range []func() ([]byte, error){
		secret.MarshalJSON, encoding.TextMarshaler(secret).MarshalText, encoding.BinaryMarshaler(secret).MarshalBinary,
	} {
		if text, err := encode(); err == nil || len(text) > 0 {
			t.Errorf("encoded %d bytes, error %v", len(text), err)
		}
	}
	if secret.Reveal() != "hunter2-hunter2" || secret.Empty() {
		t.Error("the value cannot be had where it is needed either")
	}
}
