package admin

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"

	"github.com/rotad/rotad/internal/credential"
)

// The paths of the API. Ids travel in the query, because they may hold what means something in a path.
const (
	pathClient  = "/v1/client"
	pathClients = "/v1/clients"
	pathHistory = "/v1/history"
	pathWorld   = "/v1/world"
	pathBackup  = "/v1/backup"
	pathDo      = "/v1/do"
	// pathMoved is where a consumer on this machine says which version it runs on, as one elsewhere does over the network.
	pathMoved = "/v1/clients/{client}/consumers/{consumer}"
)

// errorBody is an Error in an answer.
type errorBody struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
}

func (s *Server) handler(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	for pattern, answer := range map[string]func(*http.Request) (any, error){
		"GET " + pathClient:  s.client,
		"GET " + pathClients: s.clients,
		"GET " + pathHistory: s.history,
		"GET " + pathWorld:   s.world,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := answer(r)
			reply(w, body, err)
		})
	}
	mux.HandleFunc("POST "+pathDo, func(w http.ResponseWriter, r *http.Request) {
		body, err := s.do(w, r, log)
		reply(w, body, err)
	})
	mux.HandleFunc("POST "+pathMoved, func(w http.ResponseWriter, r *http.Request) {
		body, err := s.moved(w, r, log)
		reply(w, body, err)
	})
	mux.HandleFunc("GET "+pathBackup, s.backup)
	return mux
}

func reply(w http.ResponseWriter, body any, err error) {
	status := http.StatusOK
	if err != nil {
		e := asError(err)
		status, body = e.Class.status(), errorBody{e.Why, e.Hint}
	}
	encoded, err := json.Marshal(body)
	if err != nil { // a Sensitive in an answer is a defect, and ends here
		status, encoded = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(encoded, '\n'))
}

func (s *Server) client(r *http.Request) (any, error) {
	id := r.URL.Query().Get("id")
	rec, ok, err := s.Reader.Get(r.Context(), id)
	if err == nil && !ok {
		err = NotFound(id)
	}
	return rec, err
}

// NotFound is the error of a client that does not exist.
func NotFound(id string) error {
	return &Error{Class: ClassNotFound, Why: "there is no client " + strconv.Quote(id), Hint: "rotad status lists the clients"}
}

func (s *Server) clients(r *http.Request) (any, error) {
	n, err := number(r)
	if err != nil {
		return nil, err
	}
	list, err := s.Reader.List(r.Context(), r.URL.Query().Get("after"), n)
	if list == nil {
		list = []credential.Record{}
	}
	return list, err
}

func (s *Server) history(r *http.Request) (any, error) {
	n, err := number(r)
	if err != nil {
		return nil, err
	}
	entries, err := s.Reader.History(r.Context(), r.URL.Query().Get("id"), n)
	if entries == nil {
		entries = []credential.Audit{}
	}
	return entries, err
}

// number reads the bound of a listing; 0 = as many as a page holds.
func number(r *http.Request) (int, error) {
	text := r.URL.Query().Get("n")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, wrong("the bound of a listing is no number", "")
	}
	return n, nil
}

func (s *Server) world(*http.Request) (any, error) {
	if s.World == nil {
		return World{}, nil
	}
	return s.World(), nil
}

// do passes a command on under the name of the peer. Nothing of the request is logged but what the audit will show.
func (s *Server) do(w http.ResponseWriter, r *http.Request, log *slog.Logger) (any, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, wrong("the request is not JSON", "")
	}
	c, err := decodeCommand(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, err
	}
	return s.act(r, c, log)
}

// act passes a command on under the name of the peer.
func (s *Server) act(r *http.Request, c Command, log *slog.Logger) (any, error) {
	c.Actor, _ = r.Context().Value(peerKey{}).(string)
	if c.Actor == "" {
		return nil, &Error{Class: ClassFailed, Why: "who asks cannot be found out, so nothing is done", Hint: "the log of the daemon says more"}
	}
	answer, err := s.Actor.Do(r.Context(), c)
	note(log, c, answer, err)
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// moved takes what a consumer on this machine says.
func (s *Server) moved(w http.ResponseWriter, r *http.Request, log *slog.Logger) (any, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxName))
	var said struct {
		Version int `json:"version"`
	}
	if err != nil || json.Unmarshal(body, &said) != nil {
		return nil, wrong(`the body is not {"version": N}`, "N is the version in Vault that the consumer has read")
	}
	c := Command{Verb: VerbMoved, Client: r.PathValue("client"), Consumer: r.PathValue("consumer"), Version: said.Version}
	if err := c.check(); err != nil {
		return nil, err
	}
	if _, err := s.act(r, c, log); err != nil {
		return nil, err
	}
	return said, nil
}

// note writes down what became of a command. What would only have been done, in a dry run, is not written down.
func note(log *slog.Logger, c Command, answer Reply, err error) {
	said := []any{"verb", c.Verb, "client", about(c), "actor", c.Actor}
	if c.Provider != "" {
		said[2], said[3] = "provider", c.Provider
	}
	r := answer.Registered
	switch {
	case err != nil:
		log.Info("a command was not carried out", append(said, "class", asError(err).Class)...)
	case r != nil && len(r.Rejected) > 0 && r.New+r.Changed+r.Unchanged == 0:
		log.Info("a command was not carried out", append(said, "class", r.Rejected[0].class(), "rejected", len(r.Rejected))...)
	case c.DryRun:
	case r != nil:
		log.Info("a command was carried out", append(said, "new", r.New, "changed", r.Changed, "rejected", len(r.Rejected))...)
	default:
		log.Info("a command was carried out", said...)
	}
}

// about is the client of a command; empty where it is about many.
func about(c Command) string {
	if c.Client == "" && len(c.Clients) == 1 {
		return c.Clients[0].ID
	}
	return c.Client
}

var errNoBackup = errors.New("this daemon makes no backups")

// backup streams a copy of the state. An error on the way breaks the connection off, so that half a copy is never taken
// for a whole one.
func (s *Server) backup(w http.ResponseWriter, r *http.Request) {
	if s.Copier == nil {
		reply(w, nil, errNoBackup)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if _, err := s.Copier.WriteTo(r.Context(), w); err != nil {
		panic(http.ErrAbortHandler)
	}
}
