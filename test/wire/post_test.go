package wire_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// patience is how long the mail server's pauses may take after a fault: the channel counts as down for a minute.
const patience = 100 * time.Second

// repetition is the variable that says how long to wait at the end for the mails whose last answer was lost, which are
// sent once more after half an hour ("35m"); empty = they are left waiting.
const repetition = "ROTAD_WIRE_REPETITION"

// delivered is nil when nothing waits to be sent but mails of which nobody knows whether they have arrived.
func (f *fleet) delivered() error {
	values, err := f.gauge.metrics(f.T.Context())
	if err != nil {
		return err
	}
	pending, dead := values[`rotad_outbox_entries{state="pending"}`], values[`rotad_outbox_entries{state="dead"}`]
	if dead != 0 {
		return fmt.Errorf("%.0f notices were given up", dead)
	}
	_, open, err := f.handedOver()
	if err == nil && int(pending) > len(open) {
		err = fmt.Errorf("%.0f notices wait, of which %d were sent without an answer", pending, len(open))
	}
	return err
}

// repeated waits, if it is told to, until the mails have been sent again whose last answer was lost.
func (f *fleet) repeated() error {
	limit, err := time.ParseDuration(os.Getenv(repetition))
	if err != nil {
		return nil
	}
	err = f.await(limit, "the mails without an answer are sent again", func() error {
		values, err := f.gauge.metrics(f.T.Context())
		if pending := values[`rotad_outbox_entries{state="pending"}`]; err == nil && pending > 0 {
			err = fmt.Errorf("%.0f notices wait", pending)
		}
		return err
	})
	return errors.Join(err, f.await(patience, "every mail has come", f.arrived))
}

// arrived is nil when every mail that the daemon says it has sent lies in the mailbox, once. One whose last answer was
// lost may lie there twice, under the same Message-ID.
func (f *fleet) arrived() error {
	sent, unanswered, err := f.handedOver()
	if err != nil {
		return err
	}
	if len(sent) == 0 {
		return errors.New("no mail was sent")
	}
	mails, err := f.posts.Mails("")
	if err != nil {
		return err
	}
	copies := map[string]int{}
	for _, m := range mails {
		if strings.HasPrefix(m.To, f.Name+".") {
			copies[m.ID]++
		}
	}
	for id, n := range copies {
		if n > 1 && (!unanswered[id] || n > 2) {
			return fmt.Errorf("the mail %s came %d times", id, n)
		}
	}
	for id := range sent {
		if copies[id] == 0 {
			return fmt.Errorf("the mail %s was sent and has not come", id)
		}
	}
	return nil
}

// handedOver reads from the daemon's log the Message-IDs of what it has sent, and of what it once got no last answer
// for.
func (f *fleet) handedOver() (sent, unanswered map[string]bool, err error) {
	file, err := os.Open(f.Path("rotad.log"))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = file.Close() }()
	sent, unanswered = map[string]bool{}, map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var entry struct {
			Message   string `json:"msg"`
			MessageID string `json:"message_id"`
		}
		if json.Unmarshal(lines.Bytes(), &entry) != nil {
			continue
		}
		switch entry.Message {
		case "notice sent":
			sent[strings.Trim(entry.MessageID, "<>")] = true
		case "notice may have arrived":
			unanswered[strings.Trim(entry.MessageID, "<>")] = true
		}
	}
	return sent, unanswered, lines.Err()
}
