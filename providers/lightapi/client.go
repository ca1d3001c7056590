package lightapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// What every call names: the host, the service and the version of the portal's actions
// (light-portal-doc, auth-client-secret-regeneration).
const (
	serviceHost   = "lightapi.net"
	serviceName   = "oauth"
	actionVersion = "0.1.0"

	actionFresh      = "getFreshClient"
	actionList       = "getClient"
	actionRegenerate = "regenerateClientSecret"
)

// api is the protocol: which call is made for what.
type api struct {
	client *httpapi.Client
	tokens *httpapi.Tokens
	rules  rules
	legacy bool // commands are written in the form of older portals
}

// who is a client in the portal.
type who struct {
	host, client string
	position     string // that the caller acts in; empty = what the portal says of the client
}

// data is what a query and a command are about.
type data map[string]any

// legacyCall is a call in the form that queries have at every portal, and commands at older ones.
type legacyCall struct {
	Host    string `json:"host"`
	Service string `json:"service"`
	Action  string `json:"action"`
	Version string `json:"version"`
	Data    data   `json:"data"`
}

func legacy(action string, d data) legacyCall {
	return legacyCall{Host: serviceHost, Service: serviceName, Action: action, Version: actionVersion, Data: d}
}

// rpcCall is a command as JSON-RPC 2.0.
type rpcCall struct {
	JSONRPC string `json:"jsonrpc"`
	Method  string `json:"method"`
	Params  data   `json:"params"`
	ID      string `json:"id"`
}

func rpc(action, id string, d data) rpcCall {
	return rpcCall{
		JSONRPC: "2.0", Method: serviceHost + "/" + serviceName + "/" + action + "/" + actionVersion, Params: d, ID: id,
	}
}

// fresh asks for a client with the version that the event store has, not the projection. The version that is sent is
// the one that the caller has seen: none.
func (a api) fresh(ctx context.Context, operation string, w who) (client, error) {
	found, resp, err := a.query(ctx, operation, actionFresh, data{
		"hostId": w.host, "clientId": w.client, "aggregateVersion": 0,
	})
	if err != nil {
		return client{}, err
	}
	c, err := readClient(found, w)
	if err != nil {
		return client{}, resp.Failed(providers.ClassUnavailable, err)
	}
	c.time = resp.Time
	return c, nil
}

// listed asks for a client as the projection has it, with the version that the projection has come to.
func (a api) listed(ctx context.Context, operation string, w who) (client, error) {
	filter, err := json.Marshal([]map[string]string{{"id": "clientId", "value": w.client}})
	if err != nil {
		return client{}, err
	}
	found, resp, err := a.query(ctx, operation, actionList, data{
		"hostId": w.host, "offset": 0, "limit": 25, "sorting": "[]", "filters": string(filter), "globalFilter": "", "active": true,
	})
	if err != nil {
		return client{}, err
	}
	c, err := readListed(found, w)
	if err != nil {
		return client{}, resp.Failed(providers.ClassUnavailable, err)
	}
	return c, nil
}

// query sends a query, which every portal takes in the address. It holds names only.
func (a api) query(ctx context.Context, operation, action string, d data) (object, *httpapi.Response, error) {
	cmd, err := json.Marshal(legacy(action, d))
	if err != nil {
		return nil, nil, a.fault(operation, providers.ClassRejected, errors.New("the query cannot be encoded"))
	}
	resp, err := a.client.Do(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: "/portal/query", Query: url.Values{"cmd": {string(cmd)}},
	})
	if err != nil {
		return nil, resp, explained(err, resp)
	}
	found, err := a.read(ctx, resp, false)
	return found, resp, err
}

// regenerate makes a new secret. It is sent once; id names this one call.
func (a api) regenerate(ctx context.Context, w who, c client, id, reason string) (*httpapi.Response, error) {
	d := data{"hostId": w.host, "clientId": w.client, "aggregateVersion": c.version}
	if w.position == "" {
		w.position = c.position
	}
	if w.position != "" {
		d["ownerPositionId"] = w.position
	}
	if reason != "" {
		d["reason"] = reason
	}
	var body any = rpc(actionRegenerate, id, d)
	if a.legacy {
		body = legacy(actionRegenerate, d)
	}
	resp, err := a.client.Do(ctx, httpapi.Request{
		Operation: "create", Method: http.MethodPost, Path: "/portal/command", JSON: body, Mutates: true,
	})
	if err != nil {
		return resp, explained(err, resp)
	}
	_, err = a.read(ctx, resp, true)
	return resp, err
}

// explained gives an error of a reply the words that are known for its code.
func explained(err error, resp *httpapi.Response) error {
	if p, ok := problemIn(resp.Raw()); ok && p.hint() != "" {
		return because(err, p)
	}
	return err
}

// because gives an error its cause.
func because(err, cause error) error {
	if e, ok := errors.AsType[*providers.Error](err); ok {
		said := *e
		said.Err = cause
		return &said
	}
	return err
}

// read takes the result out of a reply whose status says success. An error of the portal's that stands in it counts as
// one with its status. A token that such an error refuses is forgotten, so that the next call logs in anew.
func (a api) read(ctx context.Context, resp *httpapi.Response, mutates bool) (object, error) {
	if p, ok := problemIn(resp.Raw()); ok {
		class := a.rules.class(p, mutates)
		if class == providers.ClassAuth {
			if token, err := a.tokens.Get(ctx); err == nil {
				a.tokens.Invalidate(token)
			}
		}
		return nil, resp.Failed(class, p)
	}
	var body any
	if err := resp.Decode(&body); err != nil {
		return nil, err
	}
	found, err := result(body)
	if err != nil {
		return nil, resp.Missing(err.Error())
	}
	return found, nil
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.client.Provider(), Operation: operation, Err: cause}
}
