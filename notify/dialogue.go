package notify

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"time"
)

// send speaks MAIL, RCPT, DATA and the message. Cancelling the context closes the connection, and the error then says
// truthfully whether the answer was still to come.
func (s *session) send(ctx context.Context, from, to string, body []byte) (Receipt, error) {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	speak := s.inTurn
	if pipelines, _ := s.client.Extension("PIPELINING"); pipelines && ascii(from) && ascii(to) {
		speak = s.atOnce
	}
	if err := speak(ctx, from, to); err != nil {
		return Receipt{}, err
	}
	return s.message(ctx, body)
}

// inTurn speaks the envelope as every server understands it, each command after the answer to the one before.
func (s *session) inTurn(ctx context.Context, from, to string) error {
	s.client.SkipSMTPUTF8(ascii(from) && ascii(to))
	steps := []struct {
		stage string
		do    func() error
	}{
		{stageMail, func() error { return s.client.Mail("<" + from + ">") }},
		{stageRcpt, func() error { return s.client.Rcpt("<" + to + ">") }},
		{stageData, func() error { return errors.Join(s.client.Text.PrintfLine("DATA"), s.answer(answerGoOn)) }},
	}
	for _, step := range steps {
		if err := s.within(ctx, s.settings.Timeout, step.do); err != nil {
			return classify(step.stage, err)
		}
	}
	return nil
}

// The answers that say yes (RFC 5321 section 4.2); two digits stand for every code that begins with them.
const (
	answerDone   = 250
	answerTaken  = 25
	answerGoOn   = 354
	endOfMessage = ".\r\n"
)

// answer reads one.
func (s *session) answer(expected int) error {
	_, _, err := s.client.Text.ReadResponse(expected)
	return err
}

// atOnce hands the envelope over in one piece (RFC 2920), which saves two journeys to the server, and reads the three answers.
// The first that refuses is the one that counts: those after it are its consequence. A server that wants the message all
// the same gets none, and the connection is given up.
func (s *session) atOnce(ctx context.Context, from, to string) error {
	err := s.within(ctx, s.settings.Timeout, func() error {
		_, err := fmt.Fprintf(s.client.Text.W, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", from, to)
		return errors.Join(err, s.client.Text.W.Flush())
	})
	if err != nil {
		return classify(stageMail, err)
	}
	answers := []struct {
		stage    string
		expected int
	}{{stageMail, answerDone}, {stageRcpt, answerTaken}, {stageData, answerGoOn}}
	var refused *SendError
	for _, a := range answers {
		err := s.within(ctx, s.settings.Timeout, func() error { return s.answer(a.expected) })
		code, _ := reply(err)
		if err != nil && refused == nil {
			refused = classify(a.stage, err)
		}
		if err != nil && code == 0 {
			break
		}
		s.midway = refused != nil && err == nil && a.stage == stageData
	}
	if refused != nil {
		return refused
	}
	return nil
}

// message hands it over in one piece, with the dot that ends it: a write that fails has not sent the dot, and a server that
// has not seen the dot has taken nothing.
func (s *session) message(ctx context.Context, body []byte) (Receipt, error) {
	err := s.within(ctx, s.settings.Timeout, func() error {
		_, err := s.client.Text.W.Write(dotted(body))
		return errors.Join(err, s.client.Text.W.Flush())
	})
	if err != nil {
		return Receipt{}, classify(stageBody, err)
	}
	var answer string
	err = s.within(ctx, s.settings.Answer, func() (err error) {
		_, answer, err = s.client.Text.ReadResponse(answerDone)
		return err
	})
	if err != nil && !accepted(err) {
		return Receipt{}, classify(stageDot, err)
	}
	return Receipt{Reply: clean(answer, maxReply)}, nil
}

// dotted returns a message as it goes over the line (RFC 5321 section 4.5.2), with the dot that ends it. Compose ends its lines
// with CRLF and begins hardly any with a dot, so that mostly nothing has to be rewritten.
func dotted(body []byte) []byte {
	if plainLines(body) {
		return append(body, endOfMessage...)
	}
	var out bytes.Buffer
	w := textproto.NewWriter(bufio.NewWriter(&out)).DotWriter()
	_, _ = w.Write(body) // to memory: it cannot fail
	_ = w.Close()
	return out.Bytes()
}

// plainLines says whether all lines end with CRLF, also the last, and none begins with a dot.
func plainLines(body []byte) bool {
	ends := bytes.Count(body, []byte("\r\n"))
	return bytes.HasSuffix(body, []byte("\r\n")) && bytes.Count(body, []byte("\n")) == ends && bytes.Count(body, []byte("\r")) == ends &&
		body[0] != '.' && !bytes.Contains(body, []byte("\n."))
}

// within gives one step its time.
func (s *session) within(ctx context.Context, limit time.Duration, do func() error) error {
	if err := s.client.UpdateDeadline(limit); err != nil {
		return err
	}
	s.conn.next()
	// The deadline that cancelling sets may have been overwritten in this moment.
	if err := ctx.Err(); err != nil {
		return err
	}
	return do()
}

// reset says whether the connection can be used again after a failed send: only where the server refused a recipient
// and nothing else, and takes RSET.
func (s *session) reset(ctx context.Context, err error) bool {
	var failed *SendError
	if s.midway || !errors.As(err, &failed) || failed.Stage != stageRcpt || failed.Code < 400 || failed.Code == 421 {
		return false
	}
	return s.within(ctx, s.settings.Timeout, s.client.Reset) == nil
}
