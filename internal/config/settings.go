package config

import (
	"net/netip"
	"time"
)

// State says where rotad keeps what it knows.
type State struct {
	// Path of the state file. Its directory must exist and be writable; a relative path starts at the directory of
	// the configuration file.
	Path string `yaml:"path" default:"/var/lib/rotad/rotad.db"`
	// AllowFilesystem lets the state file lie on a network file system, where a lock does not prove that this is
	// the only daemon.
	AllowFilesystem bool `yaml:"allow_filesystem"`
}

// Listen are the addresses that the daemon listens on.
type Listen struct {
	// Metrics is the address of /metrics, /healthz and /readyz: host:port, or "off".
	Metrics string `yaml:"metrics" default:"127.0.0.1:9847"`
	// Admin is the socket that the commands talk to the daemon over: unix:/path. It is a socket because only that
	// tells who is asking.
	Admin string `yaml:"admin" default:"unix:/run/rotad/admin.sock"`
	// Public is where people answer notices by the links in their mails, and calendar programs read deadlines.
	Public Public `yaml:"public"`
}

// Public is the one listener for people. It needs public_url.
type Public struct {
	// Address that it listens on, host:port; "off" leaves people the commands.
	Address string `yaml:"address" default:"off"`
	// TLSCertFile is a PEM file of the listener's certificate and its chain; not written = clear text, for loopback or
	// behind a proxy.
	TLSCertFile string `yaml:"tls_cert_file"`
	// TLSKeyFile is a PEM file of the certificate's key.
	TLSKeyFile string `yaml:"tls_key_file"`
	// KeyFile is the file that holds the key which links and calendar feeds are signed with: 32 random bytes or more. Another
	// key makes all that were written worthless.
	KeyFile string `yaml:"key_file"`
	// KeyEnv is the environment variable that holds that key.
	KeyEnv string `yaml:"key_env"`
	// TrustedProxies are the networks of the proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
	TrustedProxies []string `yaml:"trusted_proxies" format:"cidr"`

	// Secret reads "key".
	Secret Secrets `yaml:"-"`
}

// On says whether the listener is switched on.
func (p Public) On() bool { return p.Address != off && p.Address != "" }

// Proxies returns the networks of the trusted proxies.
func (p Public) Proxies() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range p.TrustedProxies {
		if network, err := netip.ParsePrefix(text); err == nil {
			out = append(out, network.Masked())
		}
	}
	return out
}

// VaultServer is a Vault, and how rotad comes to it.
type VaultServer struct {
	// Address of the server, for example https://vault.example.com:8200.
	Address string `yaml:"address" required:"true" format:"url"`
	// Namespace that everything lies in; empty = the root namespace.
	Namespace string `yaml:"namespace"`
	// Mount of the KV v2 engine, for every path that names none.
	Mount string `yaml:"mount" default:"secret"`
	// Auth says how rotad logs in.
	Auth VaultAuth `yaml:"auth"`
	// CACertFile is a PEM file of the authorities that signed the server's certificate; empty = the system's.
	CACertFile string `yaml:"ca_cert_file"`
	// ClientCertFile is a PEM file with the certificate that rotad shows the server; empty = none.
	ClientCertFile string `yaml:"client_cert_file"`
	// ClientKeyFile is the PEM file with the key of that certificate.
	ClientKeyFile string `yaml:"client_key_file"`
	// TLSServerName is the name expected in the server's certificate; empty = the host in address.
	TLSServerName string `yaml:"tls_server_name" format:"host"`
	// Timeout of one request.
	Timeout time.Duration `yaml:"timeout" default:"30s"`
}

// Vault is the KV v2 store that consumers read their bundles from.
type Vault struct {
	VaultServer `yaml:",inline"`

	// Staging is the path in that mount below which rotad keeps new secrets until they have proved themselves.
	// Consumers have no right to read it.
	Staging string `yaml:"staging" default:"rotad/staging"`
	// AuditLog is the file of an audit device of Vault, absolute. rotad sees there which version consumers have read; empty =
	// they have to say it.
	AuditLog string `yaml:"audit_log"`
}

// VaultAuth says how rotad logs in to Vault.
type VaultAuth struct {
	// Method of the login: token, approle, jwt (a JWT of an issuer that Vault trusts) or kubernetes (the token of a
	// service account).
	Method string `yaml:"method" required:"true" enum:"token,approle,jwt,kubernetes"`
	// Mount of the login method; empty = its name.
	Mount string `yaml:"mount"`
	// TokenFile is the file that holds the token (method token). It is read again when it changes.
	TokenFile string `yaml:"token_file"`
	// TokenEnv is the environment variable that holds the token (method token).
	TokenEnv string `yaml:"token_env"`
	// RoleID of the role (method approle). It is a name, not a secret.
	RoleID string `yaml:"role_id"`
	// SecretIDFile is the file that holds the SecretID (method approle).
	SecretIDFile string `yaml:"secret_id_file"`
	// SecretIDEnv is the environment variable that holds the SecretID (method approle).
	SecretIDEnv string `yaml:"secret_id_env"`
	// Role is the name of the role (methods jwt and kubernetes).
	Role string `yaml:"role"`
	// JWTFile is the file that holds the JWT (methods jwt and kubernetes). It is read again at every login. Not written
	// with the method kubernetes = /var/run/secrets/kubernetes.io/serviceaccount/token.
	JWTFile string `yaml:"jwt_file" secret:"true"`

	// Secret reads "token" or "secret_id".
	Secret Secrets `yaml:"-"`
}

// SMTP is the mail server that notices are handed to. Without it nobody is told anything by mail.
type SMTP struct {
	// Host is the name of the server.
	Host string `yaml:"host" required:"true" format:"host"`
	// Port of the server; 0 = 587 for starttls, 465 for implicit, 25 for none.
	Port int `yaml:"port" default:"0"`
	// TLS of the connection: starttls (required, never skipped), implicit, or none.
	TLS string `yaml:"tls" default:"starttls" enum:"starttls,implicit,none"`
	// Username to log in with; empty = no login.
	Username string `yaml:"username"`
	// PasswordFile is the file that holds the password; with auth: xoauth2 and without oauth, an access token that somebody else
	// keeps fresh.
	PasswordFile string `yaml:"password_file"`
	// PasswordEnv is the environment variable that holds the password.
	PasswordEnv string `yaml:"password_env"`
	// Auth is how to log in; auto: the first of plain, login, scram-sha-256 and cram-md5 that the server offers.
	Auth string `yaml:"auth" default:"auto" enum:"auto,plain,login,cram-md5,scram-sha-256,xoauth2"`
	// OAuth is where rotad gets the access token of auth: xoauth2.
	OAuth *OAuth `yaml:"oauth"`
	// ClientCertFile is a PEM file with the certificate that rotad shows the server; empty = none.
	ClientCertFile string `yaml:"client_cert_file"`
	// ClientKeyFile is the PEM file with the key of that certificate.
	ClientKeyFile string `yaml:"client_key_file"`
	// PerDomain is how many mails may be on their way at once to the addresses of one domain; 0 = as many as there are connections.
	PerDomain int `yaml:"per_domain" default:"0"`
	// From is the sender of all mails, and the organizer of the calendar events.
	From string `yaml:"from" required:"true" format:"email"`
	// Helo is the name that rotad greets the server with; empty = the machine's name.
	Helo string `yaml:"helo" format:"host"`
	// CACertFile is a PEM file of the authorities that signed the server's certificate; empty = the system's.
	CACertFile string `yaml:"ca_cert_file"`
	// Timeout of one step of the dialogue.
	Timeout time.Duration `yaml:"timeout" default:"30s"`

	// Secret reads "password".
	Secret Secrets `yaml:"-"`
}

// OAuth is an account of rotad's at a token endpoint, which it gets tokens from by the client credentials grant (RFC 6749
// section 4.4).
type OAuth struct {
	// TokenURL is the token endpoint.
	TokenURL string `yaml:"token_url" required:"true" format:"url"`
	// ClientID of the account.
	ClientID string `yaml:"client_id" required:"true"`
	// ClientSecretFile is the file that holds the account's secret.
	ClientSecretFile string `yaml:"client_secret_file"`
	// ClientSecretEnv is the environment variable that holds the account's secret.
	ClientSecretEnv string `yaml:"client_secret_env"`
	// Scope that is asked for; empty = what the server gives.
	Scope string `yaml:"scope"`

	// Secret reads "client_secret".
	Secret Secrets `yaml:"-"`
}

// Handshake is where consumers say which version of a secret they run on.
type Handshake struct {
	// Address that it listens on, host:port; "off" leaves consumers the admin socket.
	Address string `yaml:"address" default:"off"`
	// TLSCertFile is a PEM file of the listener's certificate and its chain; not written = clear text, for loopback or
	// behind a proxy.
	TLSCertFile string `yaml:"tls_cert_file"`
	// TLSKeyFile is a PEM file of the certificate's key.
	TLSKeyFile string `yaml:"tls_key_file"`
	// TokenKeyFile is the file that holds the key from which the consumers' tokens are made; "rotad token" makes one. Another
	// key makes all tokens worthless.
	TokenKeyFile string `yaml:"token_key_file"`
	// TokenKeyEnv is the environment variable that holds that key.
	TokenKeyEnv string `yaml:"token_key_env"`

	// Secret reads "token_key".
	Secret Secrets `yaml:"-"`
}

// Publish is where documents that others fetch are served: the public keys of clients.
type Publish struct {
	// Address that it listens on, host:port, or "off". The set of a client is at /PROVIDER/CLIENT_ID.json.
	Address string `yaml:"address" default:"off"`
	// TLSCertFile is a PEM file of the listener's certificate and its chain; not written = clear text, for loopback or
	// behind a proxy.
	TLSCertFile string `yaml:"tls_cert_file"`
	// TLSKeyFile is a PEM file of the certificate's key.
	TLSKeyFile string `yaml:"tls_key_file"`
}

// Admins are the people who run rotad.
type Admins struct {
	// Email addresses that are told of every rotation that nobody scheduled, and of what concerns rotad itself.
	Email []string `yaml:"email" format:"email"`
	// Channels that they are told over as well, by name.
	Channels []string `yaml:"channels"`
	// Language that they are told in.
	Language string `yaml:"language" default:"en" enum:"en,de"`
}

// Owner is the team that answers for a client. It has addresses, channels or both.
type Owner struct {
	// Email addresses of the team; each gets a mail of its own.
	Email []string `yaml:"email" format:"email"`
	// Channels that the team is told over as well, by name.
	Channels []string `yaml:"channels"`
	// Timezone that mails say times in: an IANA name.
	Timezone string `yaml:"timezone" default:"UTC" format:"zone"`
	// Language that the team is told in, in mails, chats, calendars and on the pages behind the links of mails.
	Language string `yaml:"language" default:"en" enum:"en,de"`
	// Calendar says how deadlines come: with the mails, one event for each client, as an invitation (request) or as information
	// (publish); as one calendar of the team, which programs read at listen.public (feed); or not at all (off).
	Calendar string `yaml:"calendar" default:"request" enum:"request,publish,feed,off"`
	// Digest says when what is not urgent goes out together, in the zone of the team: "daily at 09:00", or
	// "weekly on MON at 09:00"; not written = each notice goes at once.
	Digest string `yaml:"digest" format:"digest"`
	// Quiet are the hours in which the team is told only what is urgent.
	Quiet *Quiet `yaml:"quiet"`
	// Escalate is who is told next, and when, of what calls for somebody and is not acknowledged ("rotad ack").
	Escalate []Rung `yaml:"escalate"`
}

// Quiet are the hours in which a team is told only what is urgent.
type Quiet struct {
	// From is when they begin: hh:mm in the zone of the team.
	From string `yaml:"from" required:"true" format:"clock"`
	// To is when they end, on the same day or on the next.
	To string `yaml:"to" required:"true" format:"clock"`
	// Days on which they begin, as cron names them: MON-FRI, or SAT,SUN.
	Days string `yaml:"days" default:"*"`
}

// Rung is one step of a ladder.
type Rung struct {
	// After which time without an answer, from the moment of the notice.
	After time.Duration `yaml:"after" required:"true"`
	// To is the name of an owner, or "admins".
	To string `yaml:"to" required:"true"`
}

// Metrics limits what /metrics shows.
type Metrics struct {
	// ClientSeries is the number of clients that get series of their own, the most urgent first; 0 = none.
	ClientSeries int `yaml:"client_series" default:"10000"`
}

// Log is how the daemon logs, on stderr.
type Log struct {
	// Level is the least level that is logged: debug, info, warn or error.
	Level string `yaml:"level" default:"info" enum:"debug,info,warn,error"`
	// Format of a line: text or json.
	Format string `yaml:"format" default:"text" enum:"text,json"`
}

// Runtime bounds what the daemon does at once.
type Runtime struct {
	// Workers is the number of effects (calls to providers and to Vault) under way at once.
	Workers int `yaml:"workers" default:"32"`
	// Shutdown is how long a stop waits until every reply to a create is staged in Vault. The service manager must
	// wait longer.
	Shutdown time.Duration `yaml:"shutdown" default:"90s"`
}

// Limits bound what one provider is asked.
type Limits struct {
	// Concurrency is the number of requests under way at once; 0 = no limit.
	Concurrency int `yaml:"concurrency" default:"8"`
	// Rate is the number of requests per second; 0 = no limit.
	Rate float64 `yaml:"rate" default:"0"`
	// Burst is the number of requests that may come at once after a pause, where rate is set; 0 = 1.
	Burst int `yaml:"burst" default:"1"`
	// CreatesPerDay is the number of secrets that are asked for on one day, in UTC; 0 = no limit. What a person asks for, and
	// what could no longer be replaced in time, goes beyond it.
	CreatesPerDay int `yaml:"creates_per_day" default:"0"`
	// Breaker is the number of requests in a row without an answer after which nothing but a probe now and then is sent, until
	// one is answered; 0 = never. What cannot wait is sent all the same.
	Breaker int `yaml:"breaker" default:"10"`
}

// waveSettings say how rotations that are due together begin.
type waveSettings struct {
	// Steps are how many clients begin together: a number, or a share of all that are due. The next step begins when all of
	// those before are confirmed, and the rest after the last one. Not written = ["1", 1%, 10%]; [] = all begin when they are due.
	Steps *[]string `yaml:"steps"`
	// Least is the number of clients from which on a failure stops what has not begun; with fewer the next one goes on.
	Least int `yaml:"least" default:"10"`
}

// root is a configuration file.
type root struct {
	// State says where rotad keeps what it knows.
	State State `yaml:"state"`
	// Scan is when every client is looked at: a cron expression of five fields in UTC (after CRON_TZ=Zone and a space
	// in that zone), or "@every" and a duration.
	Scan string `yaml:"scan" default:"17 * * * *"`
	// Listen are the addresses that the daemon listens on.
	Listen Listen `yaml:"listen"`
	// Vault is the KV v2 store that consumers read their bundles from.
	Vault Vault `yaml:"vault"`
	// Vaults are further Vaults, by name, for destinations of the kind vault. Nothing is staged in them.
	Vaults block `yaml:"vaults"`
	// SMTP is the mail server that notices are handed to.
	SMTP *SMTP `yaml:"smtp"`
	// Channels are ways to tell people and programs besides mail, by name.
	Channels block `yaml:"channels"`
	// Handshake is where consumers say which version of a secret they run on.
	Handshake Handshake `yaml:"handshake"`
	// Publish is where documents that others fetch are served: the public keys of clients.
	Publish Publish `yaml:"publish"`
	// Admins are the people who run rotad.
	Admins Admins `yaml:"admins"`
	// PublicURL is where listen.public is reached by people, as links in mails say it: https://host, with a path where a proxy
	// has one for it. Without that listener mails show commands only.
	PublicURL string `yaml:"public_url" format:"url"`
	// Templates is a directory with templates of one's own, which take the place of those of the same name; not written = none.
	Templates string `yaml:"templates"`
	// Metrics limits what /metrics shows.
	Metrics Metrics `yaml:"metrics"`
	// Log is how the daemon logs.
	Log Log `yaml:"log"`
	// Runtime bounds what the daemon does at once.
	Runtime Runtime `yaml:"runtime"`
	// Providers are connections to identity providers, by name.
	Providers block `yaml:"providers"`
	// Policies say when to warn and when to rotate, by name. A policy takes what it does not say from the built-in
	// defaults; clients that name none have the policy "default".
	Policies block `yaml:"policies"`
	// Owners are the teams that answer for clients, by name.
	Owners block `yaml:"owners"`
	// Include names files that hold clients, as patterns relative to this file.
	Include []string `yaml:"include"`
	// Clients are the registered clients.
	Clients block `yaml:"clients"`
}

// included is an included file.
type included struct {
	// Clients are the registered clients.
	Clients block `yaml:"clients"`
}

// providerSettings are the settings that every provider has, whatever its kind.
type providerSettings struct {
	// Kind is the adapter that speaks to this sort of provider; "rotad kinds" lists them.
	Kind string `yaml:"kind" required:"true"`
	// AllowUnproven is a person's word that a kind or preset may be used which was written from documentation and never
	// met the real server; "rotad kinds --json" says which. Without it there is a warning. Try it with one client first.
	AllowUnproven bool `yaml:"allow_unproven"`
	// Deadline of a request that creates a secret; 0 = the kind's default.
	Deadline time.Duration `yaml:"deadline" default:"0s"`
	// Propagation is how long a change may take until every server of the provider knows it; 0 = the kind's default.
	Propagation time.Duration `yaml:"propagation" default:"0s"`
	// Headers that are added to every request. They are no place for secrets.
	Headers map[string]string `yaml:"headers"`
	// Limits bound what this provider is asked.
	Limits Limits `yaml:"limits"`
	// Wave is how the rotations of this provider that are due together begin.
	Wave waveSettings `yaml:"wave"`
}
