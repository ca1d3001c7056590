package awsiam_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/awsiam"
)

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// What answers a create that succeeded is a key, or it is kept: a plaintext is never lost, and never repeated in an error.
func FuzzCreated(f *testing.F) {
	for _, body := range []string{
		`<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>b</UserName><AccessKeyId>AKIA1</AccessKeyId><Status>Active</Status><SecretAccessKey>` + mark + `</SecretAccessKey><CreateDate>2026-03-01T12:00:00Z</CreateDate></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>`,
		`<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><CreateDate>` + mark, `<html>` + mark, ``, `{"a":"` + mark + `"}`,
		`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "` + mark + `">]><CreateAccessKeyResponse>&a;</CreateAccessKeyResponse>`,
	} {
		f.Add(body)
	}
	a := newAccount(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := a.open(t, a.own, answers{http.StatusOK, body})
		issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
		switch class := providers.ClassOf(err); {
		case err == nil && (issued.Secret.ID == "" || issued.Bundle[awsiam.FieldSecretAccessKey].Empty()):
			t.Error("a success without a key")
		case class == providers.ClassNotUnderstood && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the reply: %v", err)
		}
		d, ok := p.(providers.Decoder)
		if !ok {
			t.Fatal("a stored reply cannot be read again")
		}
		again, failed := d.Decode(target("billing"), credential.NewSensitive(body))
		if failed == nil && err == nil && !again.Bundle.Equal(issued.Bundle) {
			t.Error("the stored reply is read as another key")
		}
		if failed != nil && strings.Contains(failed.Error(), mark) {
			t.Errorf("the error repeats the reply: %v", failed)
		}
	})
}

// What answers a look is a list, or an error that proves nothing and repeats nothing.
func FuzzListed(f *testing.F) {
	for _, body := range []string{
		`<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata><member><AccessKeyId>AKIA1</AccessKeyId><CreateDate>2026-03-01T12:00:00Z</CreateDate></member></AccessKeyMetadata><IsTruncated>true</IsTruncated><Marker>` + mark + `</Marker></ListAccessKeysResult></ListAccessKeysResponse>`,
		`<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata><member/></AccessKeyMetadata></ListAccessKeysResult></ListAccessKeysResponse>`,
		`<ErrorResponse><Error><Code>` + mark + `</Code></Error></ErrorResponse>`, `<html>` + mark, ``,
	} {
		f.Add(body, 200)
		f.Add(body, 403)
	}
	a := newAccount(f)
	f.Fuzz(func(t *testing.T, body string, status int) {
		if status < 200 || status > 599 {
			return
		}
		seen, err := a.open(t, a.own, answers{status, body}).Inspect(t.Context(), target("billing"))
		for _, s := range seen.Secrets {
			if s.ID == "" {
				t.Errorf("a key without an id: %+v", seen)
			}
		}
		if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)) {
			t.Errorf("%v", err)
		}
	})
}

// What rotad is given as its own key is a key or an error that repeats nothing.
func FuzzCredentials(f *testing.F) {
	for _, text := range []string{
		"[default]\naws_access_key_id=AKIA1\naws_secret_access_key=" + mark + "\naws_session_token=t\n[other]\naws_access_key_id=AKIA2", "AWS_ACCESS_KEY_ID=" + mark,
		"[a]\n[b]\naws_access_key_id=x\naws_secret_access_key=y", "", "=", mark,
	} {
		f.Add(text)
	}
	a := newAccount(f)
	f.Fuzz(func(t *testing.T, text string) {
		_, err := a.open(t, text, answers{http.StatusForbidden, ""}).Inspect(t.Context(), target("billing"))
		if providers.ClassOf(err) != providers.ClassAuth && providers.ClassOf(err) != providers.ClassRejected || strings.Contains(err.Error(), mark) {
			t.Errorf("%v", err)
		}
	})
}
