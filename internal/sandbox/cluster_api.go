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

// clusterRequest is a request about an object.
type clusterRequest struct {
	resource, namespace, name string
	body                      object
}

// clusterKinds are the kinds of objects by what they are called in a path.
var clusterKinds = map[string]string{
	"secrets": "Secret", "deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet",
}

func (q clusterRequest) key() string { return key(clusterKinds[q.resource], q.namespace, q.name) }

// ofWorkload does what the API server does with a workload that is changed: its status stays what its controller has said, and
// a spec that is another one makes it another generation.
func (q clusterRequest) ofWorkload(old, fresh object) {
	if q.resource == "secrets" {
		return
	}
	delete(fresh, "status")
	if status, ok := old["status"]; ok {
		fresh["status"] = status
	}
	generation, _ := inside(old, "metadata")["generation"].(float64)
	if !reflect.DeepEqual(old["spec"], fresh["spec"]) {
		generation++
	}
	inside(fresh, "metadata")["generation"] = generation
}

// clusterReply is an answer of the API: an object, or a Status.
type clusterReply struct {
	status int
	body   object
}

// ServeHTTP serves /api/v1/namespaces/NAMESPACE/secrets[/NAME] and /apis/apps/v1/namespaces/NAMESPACE/deployments/NAME.
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
	if r.URL.Path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" && r.Method == http.MethodPost {
		return review(r, rights)
	}
	verb := clusterVerbs[r.Method]
	q, ok := named(r.URL.Path)
	if !ok || (q.name == "") != (verb == "create") || verb == "create" && q.resource != "secrets" {
		return failed(http.StatusNotFound, "NotFound", "the server could not find the requested resource")
	}
	if !slices.Contains(rights, verb) {
		return failed(http.StatusForbidden, "Forbidden", q.resource+` "`+q.name+`" is forbidden: User "somebody" cannot `+verb+
			` resource "`+q.resource+`" in API group "" in the namespace "`+q.namespace+`"`)
	}
	if verb == "get" {
		return c.locked(c.get, q)
	}
	return c.change(verb, q, r)
}

// review says whether whoever asks has a right.
func review(r *http.Request, rights []string) clusterReply {
	var asked object
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 3<<20)).Decode(&asked); err != nil || asked == nil {
		return failed(http.StatusBadRequest, "BadRequest", "the object provided is unrecognized")
	}
	verb, _ := inside(inside(asked, "spec"), "resourceAttributes")["verb"].(string)
	asked["status"] = object{"allowed": slices.Contains(rights, verb)}
	return clusterReply{http.StatusCreated, asked}
}

// named says what a path is about.
func named(path string) (q clusterRequest, ok bool) {
	secrets := true
	rest, ok := strings.CutPrefix(path, "/api/v1/namespaces/")
	if !ok {
		secrets = false
		rest, ok = strings.CutPrefix(path, "/apis/apps/v1/namespaces/")
	}
	parts := strings.Split(rest, "/")
	if !ok || len(parts) < 2 || len(parts) > 3 || clusterKinds[parts[1]] == "" || (parts[1] == "secrets") != secrets {
		return q, false
	}
	q.namespace, q.resource = parts[0], parts[1]
	if len(parts) == 3 {
		q.name = parts[2]
	}
	return q, true
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
	if fresh["kind"] != "Secret" {
		return ""
	}
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
