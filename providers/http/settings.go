package http

import "time"

// Settings are the block of a provider of this kind. What a block does not say, its preset says.
type Settings struct {
	Preset string            `yaml:"preset" required:"true" doc:"Name of a description that comes with the program, or none (rotad kinds lists them). What stands beside it wins."`
	URL    string            `yaml:"url" required:"true" doc:"Base address that every path is appended to. {name} of vars may stand in it."`
	Vars   map[string]string `yaml:"vars" doc:"Names for placeholders, for example account: abc for {account}. An empty one has to be filled in."`
	Access `yaml:",inline"`

	Mode       string        `yaml:"mode" enum:"two-slot,staged,caller-chosen,grace-window,hard-cutover" doc:"How two secrets live side by side: two-slot, staged, caller-chosen, grace-window or hard-cutover."`
	Reason     string        `yaml:"reason" doc:"Why this mode, for people."`
	Grace      time.Duration `yaml:"grace" implied:"0s" doc:"Life of the previous secret after a create, where no client states one; what answers show wins, unless the create sends {grace} or {grace_end}."`
	Slots      int           `yaml:"slots" implied:"0" doc:"Secrets that may live at once; 0 = not known."`
	Repeatable bool          `yaml:"repeatable" implied:"false" doc:"Mode caller-chosen: a create with the same value may be repeated without harm."`
	Value      Chosen        `yaml:"value" doc:"The value that rotad makes where a create sends {value}."`

	Inspect Look     `yaml:"inspect" doc:"The request that looks, and where its answer says what. Without a path nothing can be seen."`
	List    *Listing `yaml:"list" doc:"The request that lists clients, for rotad discover. Without it a tenant cannot be walked."`
	Exists  *Call    `yaml:"exists" doc:"Asked after inspect was answered with not-found: a success means that the client exists and has no secret."`
	Create  Make     `yaml:"create" doc:"The request that makes a secret. It is sent once."`
	Recover *Lookup  `yaml:"recover" doc:"A request that reads the current value back, where inspect does not."`
	Revoke  *Ending  `yaml:"revoke" doc:"The request that ends one secret: {secret_id} names it; without {secret_id} it ends the slot of the previous one, or in the mode staged that of the staged one."`

	Activate *Call  `yaml:"activate" doc:"Mode staged: the request that lets the staged secret, {secret_id}, take the current one's place."`
	Verify   Proof  `yaml:"verify" doc:"How a secret is proved."`
	Errors   []Rule `yaml:"errors" doc:"What answers mean, where their status does not say it. The first rule that matches counts."`

	Rights Rights `yaml:"rights" doc:"What rotad's account needs, as a token names it. rotad check --online compares; nothing else reads it."`

	RecordedFile string `yaml:"recorded_file" doc:"Recorded requests and answers that rotad check plays this description against."`
}

// Access says how rotad logs in at the API.
type Access struct {
	TokenFile   string `yaml:"token_file" doc:"File with a token, sent as Authorization: Bearer unless login_header says otherwise; read again after a refusal."`
	TokenEnv    string `yaml:"token_env" doc:"The same from an environment variable."`
	LoginHeader string `yaml:"login_header" doc:"Header that carries the token without a scheme, for example X-Api-Key."`
	LoginScheme string `yaml:"login_scheme" doc:"Word before the token, for example SSWS; default: Bearer, and none with login_header."`

	Username     string `yaml:"username" doc:"User of HTTP Basic."`
	PasswordFile string `yaml:"password_file" doc:"File with that user's password."`
	PasswordEnv  string `yaml:"password_env" doc:"The same from an environment variable."`

	ClientID         string            `yaml:"client_id" doc:"rotad's own OAuth client, which logs in at login_url with client credentials."`
	ClientSecretFile string            `yaml:"client_secret_file" doc:"File with that client's secret."`
	ClientSecretEnv  string            `yaml:"client_secret_env" doc:"The same from an environment variable."`
	LoginURL         string            `yaml:"login_url" doc:"Token endpoint for rotad's own client. {url} is the base address."`
	LoginScope       string            `yaml:"login_scope" doc:"Scope that rotad's own client asks for."`
	LoginAuth        string            `yaml:"login_auth" enum:"basic,post" doc:"How rotad's own client shows its secret: basic (default) or post."`
	LoginForm        map[string]string `yaml:"login_form" doc:"More parameters of that login, for example audience or resource."`
	LoginHeaders     map[string]string `yaml:"login_headers" doc:"More headers of that login. They are no place for secrets."`

	Anonymous bool `yaml:"anonymous" implied:"false" doc:"The API asks for no login."`
}

// Call is one request. Placeholders in braces stand for values: {id}, {label}, {expires:epoch_ms}.
type Call struct {
	Method  string            `yaml:"method" enum:"GET,POST,PUT,PATCH,DELETE,LIST" doc:"Default: GET to look, POST to create and to prove, DELETE to revoke."`
	Path    string            `yaml:"path" doc:"Appended to url; what replaces a placeholder is escaped."`
	Query   map[string]string `yaml:"query" doc:"Query parameters. One whose placeholder has no value is left out."`
	Headers map[string]string `yaml:"headers" doc:"More headers."`
	JSON    any               `yaml:"json" doc:"Body, as JSON. A text that is one placeholder keeps the type of its value; a member without a value is left out."`
	Form    map[string]string `yaml:"form" doc:"Body, as a form."`
	Accept  []int             `yaml:"accept" doc:"Statuses that count as success besides 2xx."`
}

// Ending is the request that ends a secret.
type Ending struct {
	Call   `yaml:",inline"`
	Before *Call `yaml:"before" doc:"Sent before it, for servers that end only what was switched off: names {secret_id} too. Where it is refused, the request that ends decides."`
}

// Fields are places in an answer: JSONPath expressions (RFC 9535), alternatives joined by " or ".
type Fields struct {
	Exists  string `yaml:"exists" doc:"Says whether there is a secret: true, or anything that is not empty."`
	ID      string `yaml:"id" doc:"Id of the secret; without one it is named by its start, else by a digest of its value."`
	Value   string `yaml:"value" doc:"The clear value."`
	Start   string `yaml:"start" doc:"When the secret began."`
	Expires string `yaml:"expires" doc:"When it ends. null, 0, an empty text and the year 1 mean never."`
	Unit    string `yaml:"unit" enum:"auto,seconds,milliseconds,lifetime" doc:"Of a number in expires: auto (default) tells seconds and milliseconds since 1970 apart; lifetime = seconds from the start, else from now on."`
	Label   string `yaml:"label" doc:"The label that create sent."`
	Hint    string `yaml:"hint" doc:"What is shown of the value."`
	LastUse string `yaml:"last_use" doc:"When it was used last."`
	Handle  string `yaml:"handle" doc:"Slots previous and staged: what requests call the secret, {handle}, where that is not its id."`
}

// Look is the request that looks, and how its answer is read: a list of secrets, or the slots current and previous.
type Look struct {
	Call     `yaml:",inline"`
	ClientID string `yaml:"client_id" doc:"Place of the OAuth client_id; default: the client's ref."`
	List     string `yaml:"list" doc:"Place of the list of secrets."`
	Where    string `yaml:"where" doc:"Which entries of the list count, for example $[?@.status == 'ACTIVE']; default: all."`
	Next     string `yaml:"next" doc:"Place of the name of the next page, which {page} then stands for."`
	Secret   Fields `yaml:"secret" doc:"Places in one entry of the list."`
	Current  Fields `yaml:"current" doc:"Places of the current secret, where there is no list."`
	Previous Fields `yaml:"previous" doc:"Places of the secret before it."`
	Staged   Fields `yaml:"staged" doc:"Mode staged: places of the secret that waits beside the current one."`
	Beside   *Call  `yaml:"beside" doc:"Slots: a second request whose answer shows the previous or the staged secret, where that to path shows only the current one. Not found means that there is none."`
	Required string `yaml:"required" doc:"Place of a flag, or a time, from which on the provider asks for a rotation."`
	Disabled string `yaml:"disabled" doc:"Place of a flag that says that the client is switched off."`
}

// Listing is the request that lists clients, and where its answer says what. Places but those of clients and next are places in one entry.
type Listing struct {
	Call     `yaml:",inline"`
	Clients  string `yaml:"clients" doc:"Place of the list of clients; $ = the answer is the list."`
	Where    string `yaml:"where" doc:"Which entries of the list count, for example $[?@.signOnMode == 'OPENID_CONNECT']; default: all."`
	Next     string `yaml:"next" doc:"Place of the name of the next page, which {page} then stands for."`
	Link     string `yaml:"link" doc:"Parameter of the next address in the header Link (RFC 8288), which {page} then stands for, for example after."`
	Zero     bool   `yaml:"zero" implied:"false" doc:"{number}, or {offset}, begins with 0; else with 1. rotad counts pages where one of them is in the request; an empty page is the last one then."`
	Total    string `yaml:"total" doc:"Place of the number of all clients, where rotad counts pages: then no page is asked for behind the last one, and what has none may leave the list out."`
	Size     int    `yaml:"size" implied:"0" doc:"Clients on a page, for {size}, {offset} and total."`
	Alike    bool   `yaml:"alike" implied:"false" doc:"An entry is what inspect is answered with; else each client is asked for."`
	Inside   string `yaml:"inside" doc:"Member of inspect's answer that holds what an entry is, for example result."`
	ID       string `yaml:"id" doc:"What becomes id of the ref."`
	ClientID string `yaml:"client_id" doc:"What becomes client_id of the ref."`
	Parent   string `yaml:"parent" doc:"What becomes parent of the ref."`
	Name     string `yaml:"name" doc:"Name for people."`
	Owner    string `yaml:"owner" doc:"Whose it is: a text, or a list of them."`
	Tags     string `yaml:"tags" doc:"Its tags: a text, or a list of them."`
	Created  string `yaml:"created" doc:"When the client was made."`
}

// Answer is how the answer to a create, or to a recover, is read.
type Answer struct {
	Fields   `yaml:",inline"`
	ClientID string `yaml:"client_id" doc:"Place of the OAuth client_id; default: what inspect says, else the client's ref."`
	OldDies  string `yaml:"old_dies" doc:"Place of the time until which the previous secret is valid."`
}

// Make is the request that makes a secret.
type Make struct {
	Call   `yaml:",inline"`
	First  *Call  `yaml:"first" doc:"Sent instead where the client has no secret yet."`
	Answer Answer `yaml:"answer" doc:"Places in the answer."`
}

// Lookup is a request that reads the current value.
type Lookup struct {
	Call   `yaml:",inline"`
	Answer Answer `yaml:"answer" doc:"Places in the answer."`
}

// Chosen says how rotad makes a value.
type Chosen struct {
	Length   int    `yaml:"length" implied:"43" doc:"Characters."`
	Alphabet string `yaml:"alphabet" doc:"Characters to choose from; default: letters and digits."`
	Prefix   string `yaml:"prefix" doc:"What a value begins with, for servers that ask for every sort of character."`
}

// Proof says how a secret is proved: by the token endpoint, or by any request.
type Proof struct {
	TokenURL         string            `yaml:"token_url" doc:"Token endpoint. {url} is the base address."`
	IntrospectionURL string            `yaml:"introspection_url" doc:"Introspection endpoint (RFC 7662)."`
	Method           string            `yaml:"method" enum:"client_credentials,introspection,auth_code" doc:"What verify.method: auto of a client means; default: auth_code, which makes no token."`
	Scope            string            `yaml:"scope" doc:"Scope where the client's own settings name none."`
	Headers          map[string]string `yaml:"headers" doc:"More headers of the token request."`
	Accepted         []string          `yaml:"accepted" doc:"Error codes of the token endpoint that prove the secret, besides those of the standard."`
	Refused          []string          `yaml:"refused" doc:"Error codes that refute it, for example unauthorized_client."`
	Request          *Ask              `yaml:"request" doc:"A request that shows {client_id} and {client_secret}, instead of the token endpoint."`
}

// Ask is a request that shows a client's secret.
type Ask struct {
	Call    `yaml:",inline"`
	URL     string `yaml:"url" doc:"Whole address, where it is not url and path."`
	Auth    string `yaml:"auth" enum:"basic,post" doc:"Puts id and secret into an Authorization header, or into the form."`
	Answers []Sign `yaml:"answers" doc:"What answers mean. One that matches nothing proves nothing."`
}

// Sign is what an answer is recognised by.
type Sign struct {
	Status []int    `yaml:"status" doc:"One of these statuses; default: any."`
	Path   string   `yaml:"path" doc:"Place in the answer that has to be there."`
	Is     []string `yaml:"is" doc:"What stands there: one of these texts; default: anything but null and false."`
	Means  string   `yaml:"means" enum:"accepted,refused" required:"true" doc:"accepted or refused."`
}

// Rights says which rights rotad's account needs, and where its token names those that it has.
type Rights struct {
	Claim  string   `yaml:"claim" doc:"Place in the claims of the token, a JWT, for example $.permissions; default: the scope that the login's answer names, else the token's own scope or scp."`
	Look   []string `yaml:"look" doc:"Rights that are needed to look."`
	Rotate []string `yaml:"rotate" doc:"Rights that only a rotation needs."`
	Spare  []string `yaml:"spare" doc:"Rights that do no harm beside those, for example openid. Any other that the token names is too wide."`
	Grant  string   `yaml:"grant" doc:"The command or the screen that grants them and takes them away, for people."`
}

// Rule says what an answer means.
type Rule struct {
	On     []string `yaml:"on" doc:"Operations: inspect, create, recover, activate, revoke; default: all."`
	Status []int    `yaml:"status" doc:"One of these statuses; default: any, also a success."`
	Path   string   `yaml:"path" doc:"Place in the answer that has to be there."`
	Is     []string `yaml:"is" doc:"What stands there: one of these texts; default: anything but null and false."`
	Means  string   `yaml:"means" enum:"not-found,conflict,quota,throttled,busy,auth,rejected,unsupported,unavailable" required:"true" doc:"What may be concluded. For a create all of these say that nothing was made."`
}
