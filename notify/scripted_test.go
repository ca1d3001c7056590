package notify_test

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
)

// scripted is a mail server that answers as it is told, word by word: the only way to see what happens when a
// connection breaks at the worst moment.
type scripted struct {
	listener net.Listener
	// answers maps a command ("MAIL", "RCPT", "DATA", "." for the end of a message, "RSET", "QUIT", "EHLO",
	// "CONNECT") to its answers, the first for the first time and so on; the last stays. "drop" closes the connection,
	// "hang" says nothing more.
	answers map[string][]string

	mu          sync.Mutex
	counts      map[string]int
	connections int
	open        int
	messages    []string
	commands    []string
	waits       int // times it had nothing more to read: the journeys of the other side
}

var defaults = map[string]string{
	"CONNECT": "220 ready", "EHLO": "250-scripted\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES", "MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok",
	"DATA": "354 go on", ".": "250 2.0.0 Ok: queued as 4F2A", "RSET": "250 2.0.0 Ok", "QUIT": "221 2.0.0 Bye",
}

// pipelining is the answer to EHLO of a server that takes several commands at once (RFC 2920).
const pipelining = "250-scripted\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES"

func newScripted(t *testing.T, answers map[string][]string) *scripted {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{listener: listener, answers: answers, counts: map[string]int{}}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *scripted) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// next returns the answer to a command and counts it.
func (s *scripted) next(command string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, command)
	n := s.counts[command]
	s.counts[command]++
	list := s.answers[command]
	if len(list) == 0 {
		return defaults[command]
	}
	if answer := list[min(n, len(list)-1)]; answer != "ok" {
		return answer
	}
	return defaults[command]
}

// say answers; false ends the conversation.
func (s *scripted) say(conn net.Conn, command string) bool {
	switch answer := s.next(command); answer {
	case "drop":
		return false
	case "hang":
		_, _ = conn.Read(make([]byte, 1))
		return false
	default:
		_, err := conn.Write([]byte(answer + "\r\n"))
		return err == nil && !strings.HasPrefix(answer, "421")
	}
}

func (s *scripted) serve(conn net.Conn) {
	s.mu.Lock()
	s.connections++
	s.open++
	s.mu.Unlock()
	defer func() {
		_ = conn.Close()
		s.mu.Lock()
		s.open--
		s.mu.Unlock()
	}()
	if !s.say(conn, "CONNECT") {
		return
	}
	reader := bufio.NewReader(conn)
	refused := false // the sender or the recipient: as everywhere, there is no message then
	for {
		s.wait(reader)
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		command := strings.ToUpper(strings.Fields(line + " ?")[0])
		switch {
		case refused && command == "DATA" && len(s.answers["DATA"]) == 0:
			if _, err := conn.Write([]byte("554 5.5.1 no valid recipients\r\n")); err != nil {
				return
			}
			continue
		case !s.say(conn, command) || command == "QUIT":
			return
		}
		switch {
		case command == "MAIL", command == "RCPT" && !refused:
			refused = !s.accepted(command)
		case command == "RSET":
			refused = false
		case command == "DATA" && s.accepted("DATA") && (!s.message(reader) || !s.say(conn, ".")):
			return
		}
	}
}

// wait counts the times at which it has answered all that it was told.
func (s *scripted) wait(reader *bufio.Reader) {
	if reader.Buffered() > 0 {
		return
	}
	s.mu.Lock()
	s.waits++
	s.mu.Unlock()
}

// accepted says whether the last answer to a command was the usual one.
func (s *scripted) accepted(command string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.answers[command]
	return len(list) == 0 || list[min(s.counts[command]-1, len(list)-1)] == "ok"
}

// message reads up to the final dot.
func (s *scripted) message(reader *bufio.Reader) bool {
	var b strings.Builder
	s.wait(reader)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			s.mu.Lock()
			s.messages = append(s.messages, b.String())
			s.mu.Unlock()
			return true
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

// state returns the connections made so far, those still open, and the messages that were complete.
func (s *scripted) state() (connections, open, messages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections, s.open, len(s.messages)
}

func (s *scripted) count(command string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[command]
}
