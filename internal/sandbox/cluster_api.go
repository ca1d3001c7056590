package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// clusterRequest is a request about Secrets.
type clusterRequest struct {
	namespace, name string
	body            object
}

// clusterReply is an answer of the API: an object, or a Status.
type clusterReply struct {
	status int
	body   object
}

// ServeHTTP serves /api/v1/namespaces/NAMESPACE/secrets[/NAME].
func (c *Cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reply := c.serve(r)
	answer(w, reply.status, reply.body)
}

// clusterVerbs are the rights that the methods ask for.
var clusterVerbs = map[string]string{http.MethodGet: "get", http.MethodPost: "create", http.MethodPatch: "patch"}

func (c *Cluster) serve(r *http.Request) clusterReply {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	c.mu.Lock()
	rights, known := c.rights[token]
	c.mu.Unlock()
	if !known {
		return failed(http.StatusUnauthorized, "Unauthorized", "Unauthorized")
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/api/v1/namespaces/")
	parts := strings.Split(rest, "/")
	verb := clusterVerbs[r.Method]
	if !ok || len(parts) < 2 || len(parts) > 3 || parts[1] != "secrets" || (len(parts) == 2) != (verb == "create") {
		return failed(http.StatusNotFound, "NotFound", "the server could not find the requested resource")
	}
	q := clusterRequest{namespace: parts[0]}
	if len(parts) == 3 {
		q.name = parts[2]
	}
	if !slices.Contains(rights, verb) {
		return failed(http.StatusForbidden, "Forbidden", `secrets "`+q.name+`" is forbidden: User "somebody" cannot `+verb+
			` resource "secrets" in API group "" in the namespace "`+q.namespace+`"`)
	}
	if verb == "get" {
		return c.locked(c.get, q)
	}
	return c.change(verb, q, r)
}

func (c *Cluster) locked(serve func(clusterRequest) clusterReply, q clusterRequest) clusterReply {
	c.mu.Lock()
	defer c.mu.Unlock()
	return serve(q)
}

func (c *Cluster) change(verb string, q clusterRequest, r *http.Request) clusterReply {
	want := map[string]string{"create": "application/json", "patch": "application/merge-patch+json"}[verb]
	if r.Header.Get("Content-Type") != want {
		return failed(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "the body of the request was in an unknown format")
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 3<<20)).Decode(&q.body); err != nil || q.body == nil {
		return failed(http.StatusBadRequest, "BadRequest", "the object provided is unrecognized")
	}
	if before := c.takeBefore(); before != nil {
		before()
	}
	if verb == "create" {
		return c.locked(c.create, q)
	}
	return c.locked(c.patch, q)
}

func (c *Cluster) takeBefore() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.before
	c.before = nil
	return before
}

// failed is a Status (meta/v1).
func failed(status int, reason, message string) clusterReply {
	return clusterReply{status, object{
		"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Failure", "message": message, "reason": reason, "code": status,
	}}
}

func notFound(kind, name string) clusterReply {
	reply := failed(http.StatusNotFound, "NotFound", kind+` "`+name+`" not found`)
	reply.body["details"] = object{"name": name, "kind": kind}
	return reply
}

var (
	clusterName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)
	clusterKey  = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)
)

// maxSecretData is how much the data of a Secret may hold.
const maxSecretData = 1 << 20

// invalid says what the API has against a Secret that takes the place of another one; nil = there is none yet.
func invalid(old, fresh object) string {
	name, _ := inside(fresh, "metadata")["name"].(string)
	switch {
	case !clusterName.MatchString(name):
		return "metadata.name: Invalid value"
	case old == nil:
		return invalidData(fresh)
	case old["immutable"] == true && (fresh["immutable"] != true || !reflect.DeepEqual(old["data"], fresh["data"])):
		return "data: Forbidden: field is immutable when `immutable` is set"
	case old["type"] != fresh["type"]:
		return "type: Invalid value: field is immutable"
	case name != inside(old, "metadata")["name"]:
		return "metadata.name: Invalid value: field is immutable"
	}
	return invalidData(fresh)
}

func invalidData(o object) string {
	size := 0
	for key, value := range inside(o, "data") {
		text, ok := value.(string)
		plain, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil || !clusterKey.MatchString(key) {
			return "data: Invalid value"
		}
		size += len(plain)
	}
	if size > maxSecretData {
		return "data: Too long: may not be more than 1048576 bytes"
	}
	return ""
}
