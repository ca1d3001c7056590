package servers

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rotad/rotad/internal/freeport"
)

// The words of a dialogue at which a scripted mail server can die: commands, or what stands between them.
const (
	DieConnected = "connected" // before it greets
	DieHello     = "EHLO"
	DieStartTLS  = "STARTTLS"
	DieAuth      = "AUTH"
	DieMail      = "MAIL"
	DieRcpt      = "RCPT"
	DieData      = "DATA"
	DieBody      = "body"  // at the first line of the message
	DieDot       = "dot"   // the message is complete, and lost
	DieTaken     = "taken" // the message is complete, and taken, but nobody is told
	DieReset     = "RSET"  // after a recipient that it refused for now
	DieQuit      = "QUIT"
)

// Scripted is a mail server that wants TLS and a login, takes every mail, and dies at a word when it is told to. It is at
// once there again, as under a supervisor; connections that were open are gone, each as soon as it has no mail on its way:
// a death meets one mail, and a test knows which.
type Scripted struct {
	Port     int
	CAFile   string // certificate that clients have to trust
	listener net.Listener
	secure   *tls.Config

	mu        sync.Mutex
	inPieces  bool   // does not offer PIPELINING
	noteOnly  bool   // keeps of a mail who it is for and what it is called
	death     string // the word to die at next; empty = none
	died      map[string]int
	taken     []Mail
	broken    []error // messages that could not be read
	connected map[*dialogue]bool
}

// StartScripted starts a server that works. Its certificate is written to dir.
func StartScripted(dir string) (*Scripted, error) {
	s := &Scripted{CAFile: filepath.Join(dir, "scripted.pem"), died: map[string]int{}, connected: map[*dialogue]bool{}}
	key := filepath.Join(dir, "scripted.key")
	if err := writeCertificate(s.CAFile, key); err != nil {
		return nil, err
	}
	certificate, err := tls.LoadX509KeyPair(s.CAFile, key)
	if err != nil {
		return nil, fmt.Errorf("reading a certificate: %w", err)
	}
	s.secure = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if s.Port, err = freeport.Loopback(); err != nil {
		return nil, err
	}
	s.listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.Port))
	if err != nil {
		return nil, fmt.Errorf("listening for mail: %w", err)
	}
	go s.accept()
	return s, nil
}

// Stop ends the server and its connections.
func (s *Scripted) Stop() {
	_ = s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for d := range s.connected {
		_ = d.plain.Close()
	}
}

// DieAt lets the server die once, at the next time that it comes to a word. Connections are lost as soon as they stand
// idle, so that the whole dialogue is spoken again. inPieces makes it a server that takes one command at a time.
func (s *Scripted) DieAt(word string, inPieces bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.death, s.inPieces = word, inPieces
	if word != "" && word != DieQuit {
		s.hangUp()
	}
}

// Died says how often the server died at a word.
func (s *Scripted) Died(word string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.died[word]
}

// Mails returns what was taken, oldest first.
func (s *Scripted) Mails() ([]Mail, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.taken...), errors.Join(s.broken...)
}

// NoteOnly lets the server keep no more of a mail than its Message-ID, subject and recipient, where there are many.
func (s *Scripted) NoteOnly() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noteOnly = true
}

// Taken says how many mails were taken.
func (s *Scripted) Taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.taken)
}

// hangUp loses every connection that stands idle, and lets the others end when their mail has been answered.
func (s *Scripted) hangUp() {
	for d := range s.connected {
		d.last = true
		if d.idle {
			_ = d.plain.Close()
		}
	}
}

// dies says whether this is the word, and if so, dies. A dialogue that is at its last mail anyway does not meet it.
func (s *Scripted) dies(d *dialogue, word string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.death != word || d.last {
		return false
	}
	s.death = ""
	s.died[word]++
	s.hangUp()
	return true
}

// awaits says whether this is the word at which the server is to die.
func (s *Scripted) awaits(d *dialogue, word string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.death == word && !d.last
}

// rest notes whether a dialogue stands idle, and says whether it goes on.
func (s *Scripted) rest(d *dialogue, idle bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.idle = idle
	return !idle || !d.last
}

func (s *Scripted) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		d := &dialogue{server: s, plain: conn}
		s.mu.Lock()
		s.connected[d] = true
		s.mu.Unlock()
		go func() {
			d.run()
			_ = conn.Close()
			s.mu.Lock()
			delete(s.connected, d)
			s.mu.Unlock()
		}()
	}
}

// extensions is the answer to EHLO.
func (s *Scripted) extensions(secure bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []string{"scripted", "8BITMIME", "ENHANCEDSTATUSCODES"}
	if !s.inPieces {
		list = append(list, "PIPELINING")
	}
	if secure {
		return append(list, "AUTH PLAIN")
	}
	return append(list, "STARTTLS")
}

// take keeps a message.
func (s *Scripted) take(to string, raw []byte) {
	m, err := ParseMail(raw)
	m.To = strings.TrimSpace(to)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.broken = append(s.broken, fmt.Errorf("a mail to %s: %w", to, err))
	}
	if s.noteOnly {
		m = Mail{ID: m.ID, To: m.To, Subject: m.Subject}
	}
	s.taken = append(s.taken, m)
}
