package servers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/rotad/rotad/internal/freeport"
)

// Moto is a running moto: IAM and STS as AWS's own descriptions have them, with signatures and rights checked.
type Moto struct {
	URL     string // http://127.0.0.1:port, for every service
	Root    MotoKey
	process *Process
}

// MotoKey is an access key.
type MotoKey struct{ ID, Secret string }

// StartMoto starts a moto with one user who may do everything. module is the directory of the tests' module.
func StartMoto(ctx context.Context, cache Cache, module, dir string) (*Moto, error) {
	python, err := InstallPython(ctx, cache, filepath.Join(module, "servers", "moto"))
	if err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	m := &Moto{URL: fmt.Sprintf("http://127.0.0.1:%d", port)}
	m.process, err = Launch(Spec{
		Name: "moto", Path: python, Args: []string{"-m", "moto.server", "-H", "127.0.0.1", "-p", fmt.Sprint(port)}, Dir: dir,
		Env: append(BareEnv(), fmt.Sprintf("INITIAL_NO_AUTH_ACTION_COUNT=%d", motoUnasked), "PYTHONDONTWRITEBYTECODE=1"), Log: filepath.Join(dir, "moto.log"),
	})
	if err != nil {
		return nil, err
	}
	if err = awaitAnswer(ctx, m.process, m.URL+"/moto-api/data.json"); err == nil {
		err = m.found(ctx)
	}
	if err != nil {
		m.Stop()
		return nil, err
	}
	return m, nil
}

// motoUnasked is how many calls moto answers before it begins to look at signatures and rights: those that make the first user.
const motoUnasked = 3

// found makes the first user, whose calls nobody checks.
func (m *Moto) found(ctx context.Context) error {
	m.Root = MotoKey{ID: "AKIAIOSFODNN7EXAMPLE", Secret: "unchecked"}
	key, err := m.user(ctx, "root", "*")
	m.Root = key
	return err
}

// User makes a user with one key, who may do nothing.
func (m *Moto) User(ctx context.Context, name string) (MotoKey, error) {
	return m.user(ctx, name)
}

// Rotator makes a user with one key, who may do what the kind's README lists, and nothing else. moto does not tell users apart as the
// resource of a right.
func (m *Moto) Rotator(ctx context.Context, name string) (MotoKey, error) {
	return m.user(ctx, name, "iam:ListAccessKeys", "iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:GetAccessKeyLastUsed", "iam:ListUsers")
}

func (m *Moto) user(ctx context.Context, name string, actions ...string) (MotoKey, error) {
	if _, err := m.iam(ctx, url.Values{"Action": {"CreateUser"}, "UserName": {name}}); err != nil {
		return MotoKey{}, err
	}
	if len(actions) > 0 {
		policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["%s"],"Resource":"*"}]}`, strings.Join(actions, `","`))
		if _, err := m.iam(ctx, url.Values{"Action": {"PutUserPolicy"}, "UserName": {name}, "PolicyName": {"own"}, "PolicyDocument": {policy}}); err != nil {
			return MotoKey{}, err
		}
	}
	raw, err := m.iam(ctx, url.Values{"Action": {"CreateAccessKey"}, "UserName": {name}})
	if err != nil {
		return MotoKey{}, err
	}
	var made struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	if err := xml.Unmarshal(raw, &made); err != nil {
		return MotoKey{}, fmt.Errorf("reading moto's answer: %w", err)
	}
	return MotoKey{ID: made.ID, Secret: made.Secret}, nil
}

func (m *Moto) iam(ctx context.Context, form url.Values) ([]byte, error) {
	form.Set("Version", "2010-05-08")
	return m.ask(ctx, m.Root, "iam", form)
}

// Accepts says whether requests that are signed with a key are let in.
func (m *Moto) Accepts(ctx context.Context, k MotoKey) (bool, error) {
	_, err := m.ask(ctx, k, "sts", url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}})
	if status, ok := errors.AsType[*StatusError](err); ok && status.Status == http.StatusForbidden {
		return false, nil
	}
	return err == nil, err
}

func (m *Moto) ask(ctx context.Context, k MotoKey, service string, form url.Values) ([]byte, error) {
	body := []byte(form.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL+"/", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("asking moto: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256(body)
	own := aws.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret}
	if err = v4.NewSigner().SignHTTP(ctx, own, req, hex.EncodeToString(sum[:]), service, "us-east-1", time.Now()); err != nil {
		return nil, fmt.Errorf("signing for moto: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking moto: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = &StatusError{Method: http.MethodPost, Path: form.Get("Action"), Status: resp.StatusCode, Body: string(raw)}
	}
	return raw, err
}

// Stop ends the server.
func (m *Moto) Stop() { m.process.Kill() }
