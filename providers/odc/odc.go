package odc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "odc"

// refClient is the one field of a client's ref: the client id that the portal shows.
const refClient = "client_id"

// defaultPropagation is how long a new secret may take to be accepted everywhere, where nobody configured it. No page of
// the vendor's tells.
const defaultPropagation = 2 * time.Minute

// Kind describes the adapter to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "OutSystems Developer Cloud: a person makes the secret in the portal, until its API can",
		Modes:    []string{string(credential.ModeManual), string(credential.ModeGraceWindow), string(credential.ModeHardCutover)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refClient},
		Rights:   "none as long as a person makes the secrets; then an API client that may rotate those of others",
		Traits:   providers.Traits{Value: providers.ChosenByPerson, Live: "as the portal has it"},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is a connection to one organisation.
type provider struct {
	api          api
	use          string          // apiOff, apiOn or apiAuto
	hours        int             // of overlap that are asked for; 0 = none are
	instructions string          // configured; empty = rotad's own steps
	portal       string          // address of the organisation
	tokens       *httpapi.Tokens // nil with apiOff
	endpoint     *discovery
	seen         *sightings
	early        *early
	timing       providers.Timing
}

var (
	_ providers.Decoder = (*provider)(nil)
	_ providers.Checker = (*provider)(nil)
	_ providers.Timed   = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider. No call shows an API client or its secrets, so nothing about them is known; what
// is found out is whether rotad can make one.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	id, err := p.clientID(t, "inspect")
	if err != nil {
		return providers.Snapshot{}, err
	}
	able, why := p.able(ctx, id)
	snapshot := providers.Snapshot{ClientID: id, Caps: credential.Capabilities{Mode: credential.ModeManual, Reason: why}}
	caps := &snapshot.Caps
	switch {
	case !able:
		caps.Instructions = p.steps(id)
	case p.hours > 0:
		caps.Mode, caps.Grace = credential.ModeGraceWindow, time.Duration(p.hours)*time.Hour
		caps.Reason = fmt.Sprintf("%s, and is asked to keep the old secret for %d hours", why, p.hours)
	default:
		caps.Mode, caps.Slots = credential.ModeHardCutover, 1
		caps.Reason = why + "; overlap_hours is not set, so nothing says that the old secret goes on working"
	}
	return snapshot, nil
}

// able says whether the API is to make the next secret of a client, and why.
func (p *provider) able(ctx context.Context, id string) (yes bool, why string) {
	switch found := p.endpointOf(ctx, "inspect", id); {
	case p.use == apiOff:
		return false, "a person makes the secret in the ODC Portal (api: off)"
	case found == present:
		return true, "the API of ODC rotates it (api: " + p.use + ")"
	case found == absent:
		return false, "a person makes the secret: the endpoint that would rotate it is not there (api: " + p.use + ", asked again after 24 hours)"
	}
	return false, "a person makes the secret: whether there is an endpoint that would rotate it could not be found out (api: " + p.use + ")"
}

// endpointOf says whether there is an endpoint that rotates the secret of a client: as it was seen, else as it is
// configured, else by a look. OPTIONS is safe (RFC 9110 section 9.2.1): it changes nothing.
func (p *provider) endpointOf(ctx context.Context, operation, id string) sighting {
	last := p.seen.of(id)
	switch {
	case p.use == apiOff || last == absent:
		return absent
	case p.use == apiOn || last == present:
		return present
	}
	found := p.api.look(ctx, operation, id)
	p.seen.keep(id, found)
	return found
}

var (
	errByHand = errors.New("a person makes the secret in the ODC Portal and brings it with rotad submit")
	errNoOwn  = errors.New("ODC chooses the value")
	errAbsent = errors.New("the endpoint that rotates a secret does not exist; nothing was made. End this rotation with " +
		"rotad resume ID --abort, make the secret in the ODC Portal and bring it with rotad submit ID")
	errUnsure  = errors.New("whether there is an endpoint that rotates a secret could not be found out (api: auto); nothing was sent")
	errOverlap = errors.New("the endpoint refuses this request; if it does not take overlap_hours, take that setting out " +
		"(the old secret may then die at once)")
	errNoClient = errors.New("the endpoint exists, and there is no API client with this id")
)

// Create implements providers.Provider. An answer that says that the endpoint is not there proves that nothing was made.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	id, err := p.clientID(t, "create")
	switch {
	case err != nil:
		return providers.Issued{}, err
	case len(r.Proposed) > 0:
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errNoOwn)
	case p.use == apiOff:
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errByHand)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	switch p.endpointOf(ctx, "create", id) {
	case absent:
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errAbsent)
	case unsure:
		return providers.Issued{}, p.api.fault("create", providers.ClassUnavailable, errUnsure)
	case present:
	}
	return p.rotate(ctx, id)
}

// rotate makes the secret. The context ends with the deadline of the create.
func (p *provider) rotate(ctx context.Context, id string) (providers.Issued, error) {
	resp, err := p.api.rotate(ctx, id, p.hours)
	switch {
	case providers.ClassOf(err) == providers.ClassNotUnderstood:
		return providers.Issued{Raw: resp.Raw()}, err
	case err != nil:
		return providers.Issued{}, p.refused(ctx, id, resp, err)
	}
	issued, err := readIssued(resp.Raw(), id)
	if err != nil {
		return providers.Issued{Raw: resp.Raw()}, resp.Failed(providers.ClassNotUnderstood, err)
	}
	p.early.keep(issued, resp.Time)
	return issued, nil
}

// absentStatus are the statuses of an endpoint that does not exist. 404 may as well be about the client.
var absentStatus = []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}

// refused explains an answer that says no.
func (p *provider) refused(ctx context.Context, id string, resp *httpapi.Response, err error) error {
	switch {
	case resp == nil:
		return err
	case resp.Status == http.StatusBadRequest && p.hours > 0:
		return because(err, providers.ClassRejected, errOverlap)
	case !slices.Contains(absentStatus, resp.Status):
		return err
	case resp.Status == http.StatusNotFound && p.api.look(ctx, "create", id) == present:
		return because(err, providers.ClassNotFound, errNoClient)
	}
	p.seen.keep(id, absent)
	return because(err, providers.ClassUnsupported, errAbsent)
}

// Decode implements providers.Decoder.
func (p *provider) Decode(t providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	id, err := p.clientID(t, "decode")
	if err != nil {
		return providers.Issued{}, err
	}
	issued, err := readIssued(raw, id)
	if err != nil {
		return providers.Issued{}, p.api.fault("decode", providers.ClassNotUnderstood, err)
	}
	return issued, nil
}

func (p *provider) clientID(t providers.Target, operation string) (string, error) {
	if id := t.Ref[refClient]; id != "" {
		return id, nil
	}
	return "", p.api.fault(operation, providers.ClassRejected, fmt.Errorf("the client's ref has no %s", refClient))
}
