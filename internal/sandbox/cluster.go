package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync"
)

// Cluster is the part of an API server of Kubernetes that keeps Secrets: get, create, and merge patches with a
// resourceVersion; and Deployments, StatefulSets and DaemonSets that are there already: get and patch. Nobody replaces their
// pods. It is written from the documentation of the API
// (https://kubernetes.io/docs/reference/using-api/api-concepts/). Unlike the rest of this package it keeps what it is given.
type Cluster struct {
	mu         sync.Mutex
	namespaces []string
	rights     map[string][]string // token to verbs
	objects    map[string]object   // kind/namespace/name
	version    int
	before     func() // called once, before the next change is looked at
}

// object is any JSON object.
type object = map[string]any

// NewCluster returns a cluster with namespaces, in which nobody may do anything yet.
func NewCluster(namespaces ...string) *Cluster {
	return &Cluster{namespaces: namespaces, rights: map[string][]string{}, objects: map[string]object{}}
}

// Allow says what whoever shows a token may do with objects: get, create, patch. It replaces what was allowed before.
func (c *Cluster) Allow(token string, verbs ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rights[token] = verbs
}

// Forget makes a token unknown, as when it has ended.
func (c *Cluster) Forget(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.rights, token)
}

// BeforeChange lets somebody else act between the next look of a caller and its change. f may call Put and Delete.
func (c *Cluster) BeforeChange(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before = f
}

// Put writes an object as somebody who may do everything. o needs a kind, and metadata with namespace and name.
func (c *Cluster) Put(o map[string]any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(clone(o))
}

// Delete removes a Secret, if there is one.
func (c *Cluster) Delete(namespace, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.objects, key("Secret", namespace, name))
}

// Object returns a Secret as it is kept; nil if there is none.
func (c *Cluster) Object(namespace, name string) map[string]any {
	return c.Workload("Secret", namespace, name)
}

// Workload returns an object of a kind, Deployment for example, as it is kept; nil if there is none.
func (c *Cluster) Workload(kind, namespace, name string) map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return clone(c.objects[key(kind, namespace, name)])
}

func key(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

// store gives an object the next version. c.mu is held.
func (c *Cluster) store(o object) object {
	meta := inside(o, "metadata")
	namespace, _ := meta["namespace"].(string)
	name, _ := meta["name"].(string)
	kind, _ := o["kind"].(string)
	c.version++
	meta["resourceVersion"] = strconv.Itoa(c.version)
	c.objects[key(kind, namespace, name)] = o
	return o
}

// get answers with an object. c.mu is held.
func (c *Cluster) get(q clusterRequest) clusterReply {
	if o := c.objects[q.key()]; o != nil {
		return clusterReply{http.StatusOK, clone(o)}
	}
	return notFound(q.resource, q.name)
}

// create keeps a new Secret. c.mu is held.
func (c *Cluster) create(q clusterRequest) clusterReply {
	o := clone(q.body)
	meta := inside(o, "metadata")
	name, _ := meta["name"].(string)
	switch namespace, given := meta["namespace"].(string); {
	case !slices.Contains(c.namespaces, q.namespace):
		return notFound("namespaces", q.namespace)
	case given && namespace != q.namespace:
		return failed(http.StatusBadRequest, "BadRequest", "the namespace of the object does not match the one of the request")
	case c.objects[key("Secret", q.namespace, name)] != nil:
		return failed(http.StatusConflict, "AlreadyExists", `secrets "`+name+`" already exists`)
	}
	meta["namespace"] = q.namespace
	o["kind"], o["apiVersion"] = "Secret", "v1"
	if why := invalid(nil, o); why != "" {
		return failed(http.StatusUnprocessableEntity, "Invalid", why)
	}
	return clusterReply{http.StatusCreated, clone(c.store(o))}
}

// patch merges a document into an object (RFC 7396). One that changes nothing gives no new version. c.mu is held.
func (c *Cluster) patch(q clusterRequest) clusterReply {
	old := c.objects[q.key()]
	if old == nil {
		return notFound(q.resource, q.name)
	}
	fresh := clone(old)
	merge(fresh, q.body)
	q.ofWorkload(old, fresh)
	if inside(fresh, "metadata")["resourceVersion"] != inside(old, "metadata")["resourceVersion"] {
		return failed(http.StatusConflict, "Conflict", `Operation cannot be fulfilled on `+q.resource+` "`+q.name+
			`": the object has been modified; please apply your changes to the latest version and try again`)
	}
	if why := invalid(old, fresh); why != "" {
		return failed(http.StatusUnprocessableEntity, "Invalid", why)
	}
	if !reflect.DeepEqual(old, fresh) {
		c.store(fresh)
	}
	return clusterReply{http.StatusOK, clone(fresh)}
}

// merge applies a merge patch.
func merge(to, patch object) {
	for key, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(to, key)
		case object:
			if _, ok := to[key].(object); !ok {
				to[key] = object{}
			}
			merge(inside(to, key), value)
		default:
			to[key] = value
		}
	}
}

// inside returns the object below a key, and makes it if need be.
func inside(o object, key string) object {
	below, ok := o[key].(object)
	if !ok {
		below = object{}
		o[key] = below
	}
	return below
}

// clone copies an object by way of JSON, so that nobody shares a part of it.
func clone(o object) object {
	if o == nil {
		return nil
	}
	text, err := json.Marshal(o)
	if err != nil {
		return maps.Clone(o) // no JSON: a caller inside this process has made it
	}
	var out object
	_ = json.Unmarshal(text, &out) // it has just been written
	return out
}
