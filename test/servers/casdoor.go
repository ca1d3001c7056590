package servers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"

	"github.com/rotad/rotad/internal/freeport"
)

// casdoorProgram is the command that the module in casdoor/ pins.
const casdoorProgram = "github.com/casdoor/casdoor"

// Casdoor is a running Casdoor on a database of its own.
type Casdoor struct {
	URL             string // http://127.0.0.1:port
	OwnID, OwnValue string // client id and secret of the application that Casdoor makes for itself, which may do everything
	process         *Process
}

// casdoorConfig is its configuration; it ends with a line feed, without which the last line is not read.
const casdoorConfig = `appname = casdoor
httpport = %d
httpaddr = 127.0.0.1
runmode = prod
copyrequestbody = true
driverName = sqlite
dataSourceName = "file:casdoor.db?cache=shared"
dbName = casdoor
origin =
ldapServerPort = 0
ldapsServerPort = 0
radiusServerPort = 0
isDemoMode = false
logConfig = {"adapter":"console","level":3}
initDataFile =
`

// StartCasdoor starts a Casdoor with nothing but what it makes for itself. module is the directory of the tests' module.
func StartCasdoor(ctx context.Context, cache Cache, module, dir string) (*Casdoor, error) {
	program, err := installTool(ctx, cache, module, "casdoor", casdoorProgram)
	if err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	if err = os.MkdirAll(filepath.Join(dir, "conf"), 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of casdoor's configuration: %w", err)
	}
	if err = os.WriteFile(filepath.Join(dir, "conf", "app.conf"), fmt.Appendf(nil, casdoorConfig, port), 0o644); err != nil {
		return nil, fmt.Errorf("writing casdoor's configuration: %w", err)
	}
	c := &Casdoor{URL: fmt.Sprintf("http://127.0.0.1:%d", port)}
	c.process, err = Launch(Spec{Name: "casdoor", Path: program, Dir: dir, Env: FrugalEnv(), Log: filepath.Join(dir, "casdoor.log")})
	if err != nil {
		return nil, err
	}
	if err = awaitAnswer(ctx, c.process, c.URL+"/api/health"); err == nil {
		err = c.login(ctx)
	}
	if err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// casdoorReply is what every answer stands in.
type casdoorReply struct {
	Status  string          `json:"status"`
	Message string          `json:"msg"`
	Data    json.RawMessage `json:"data"`
}

var errCasdoor = errors.New("casdoor refuses")

func (c *Casdoor) ask(ctx context.Context, client *http.Client, method, path string, in any) (json.RawMessage, error) {
	var r casdoorReply
	headers := map[string]string{}
	if c.OwnID != "" {
		headers["Authorization"] = basicGrant("", c.OwnID, c.OwnValue).headers["Authorization"]
	}
	if err := do(ctx, call{method: method, url: c.URL + path, json: in, out: &r, client: client, headers: headers}); err != nil {
		return nil, err
	}
	if r.Status != "ok" {
		return nil, fmt.Errorf("%s %s: %w: %s", method, path, errCasdoor, r.Message)
	}
	return r.Data, nil
}

// login logs the first administrator in and reads what the built-in application logs in with.
func (c *Casdoor) login(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return fmt.Errorf("keeping casdoor's cookies: %w", err)
	}
	client := &http.Client{Jar: jar}
	if _, err = c.ask(ctx, client, http.MethodPost, "/api/login", map[string]any{
		"application": "app-built-in", "organization": "built-in", "username": "admin", "password": "123", "type": "login", "signinMethod": "Password",
	}); err != nil {
		return err
	}
	raw, err := c.ask(ctx, client, http.MethodGet, "/api/get-application?id=admin/app-built-in", nil)
	if err != nil {
		return err
	}
	var app struct {
		ID     string `json:"clientId"`
		Secret string `json:"clientSecret"`
	}
	if err = json.Unmarshal(raw, &app); err != nil || app.Secret == "" {
		return fmt.Errorf("reading the built-in application (%w): %w", err, errCasdoor)
	}
	c.OwnID, c.OwnValue = app.ID, app.Secret
	return nil
}

// Register makes an application admin/NAME that logs in with client credentials.
func (c *Casdoor) Register(ctx context.Context, name, secret string) error {
	_, err := c.ask(ctx, nil, http.MethodPost, "/api/add-application", map[string]any{
		"owner": "admin", "name": name, "displayName": "Billing <&>", "organization": "built-in", "clientId": "id-of-" + name, "clientSecret": secret,
		"grantTypes": []string{"client_credentials"}, "redirectUris": []string{"https://example.com/callback"}, "tokenFormat": "JWT", "expireInHours": 24,
		"cert": "cert-built-in", "enablePassword": true,
	})
	return err
}

// Forget deletes an application.
func (c *Casdoor) Forget(ctx context.Context, name string) error {
	_, err := c.ask(ctx, nil, http.MethodPost, "/api/delete-application", map[string]any{"owner": "admin", "name": name})
	return err
}

// Application reads an application, whole, without what the server adds to it and without its secret.
func (c *Casdoor) Application(ctx context.Context, name string) (map[string]json.RawMessage, error) {
	raw, err := c.ask(ctx, nil, http.MethodGet, "/api/get-application?id="+url.QueryEscape("admin/"+name), nil)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	err = json.Unmarshal(raw, &all)
	maps.DeleteFunc(all, func(member string, _ json.RawMessage) bool {
		return member == "organizationObj" || member == "clientSecret"
	})
	return all, err
}

// Blank sends an update that holds nothing but names, which is what empties an application.
func (c *Casdoor) Blank(ctx context.Context, name string) error {
	_, err := c.ask(ctx, nil, http.MethodPost, "/api/update-application?id="+url.QueryEscape("admin/"+name), map[string]any{
		"owner": "admin", "name": name, "organization": "built-in", "clientId": "id-of-" + name, "grantTypes": []string{"client_credentials"}, "cert": "cert-built-in",
	})
	return err
}

// Accepts says whether an application can log in with a secret.
func (c *Casdoor) Accepts(ctx context.Context, name, secret string) (bool, error) {
	err := do(ctx, call{
		method: http.MethodPost, url: c.URL + "/api/login/oauth/access_token",
		form: url.Values{"grant_type": {"client_credentials"}, "client_id": {"id-of-" + name}, "client_secret": {secret}},
	})
	if isStatus(err, http.StatusUnauthorized) {
		return false, nil
	}
	return err == nil, err
}

// Stop ends the server.
func (c *Casdoor) Stop() { c.process.Kill() }
