//go:build failpoints

package failpoint

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Variable is the environment variable that arms points: triggers, separated by ";". A trigger is
//
//	point/part[@client][#n][+delay][~age]
//
// and ends the process at the n-th time (default: the first) that the point is reached for a client whose id begins so,
// or that much later, while it goes on. Before the process has that age, nothing counts. The first one that is due wins.
const Variable = "ROTAD_FAILPOINTS"

// Mark begins the last line that a process which died at a point writes to stderr; the point and the client follow.
const Mark = "failpoint: "

// trigger says where and when a process dies.
type trigger struct {
	name   string // point/part
	client string // what the client's id begins with
	nth    int64
	delay  time.Duration
	age    time.Duration
}

func (t trigger) fits(point, part, client string) bool {
	return len(t.name) == len(point)+1+len(part) && t.name[:len(point)] == point &&
		t.name[len(point)+1:] == part && strings.HasPrefix(client, t.client)
}

// parse reads a list of triggers. An empty one arms nothing.
func parse(text string) ([]trigger, error) {
	var list []trigger
	for one := range strings.SplitSeq(text, ";") {
		if one == "" {
			continue
		}
		t, err := parseOne(one)
		if err != nil {
			return nil, fmt.Errorf("reading the failpoint %q: %w", one, err)
		}
		list = append(list, t)
	}
	return list, nil
}

func parseOne(text string) (t trigger, err error) {
	t.nth = 1
	if rest, age, ok := strings.Cut(text, "~"); ok {
		if t.age, err = time.ParseDuration(age); err != nil {
			return t, err
		}
		text = rest
	}
	if rest, delay, ok := strings.Cut(text, "+"); ok {
		if t.delay, err = time.ParseDuration(delay); err != nil {
			return t, err
		}
		text = rest
	}
	if rest, nth, ok := strings.Cut(text, "#"); ok {
		if t.nth, err = strconv.ParseInt(nth, 10, 64); err != nil {
			return t, err
		}
		text = rest
	}
	t.name, t.client, _ = strings.Cut(text, "@")
	if !strings.Contains(t.name, "/") {
		return t, fmt.Errorf("want point/part")
	}
	return t, nil
}
