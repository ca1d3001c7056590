package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/tenant"
	"github.com/rotad/rotad/providers"
)

// output is where a walk writes: stdout, or a file that has its name only once it is whole.
type output struct {
	*bufio.Writer
	file    *os.File // nil = stdout
	name    string
	written int64 // bytes that have been flushed
}

// part is the name of an output that is not whole yet.
const part = ".part"

// openOutput opens the output. What stands in the file beyond what a walk that was cut off has kept is cut away.
func (d *discovery) openOutput(kept int64) (*output, error) {
	if d.f.to == "" {
		return &output{Writer: bufio.NewWriter(d.app.out)}, nil
	}
	if _, err := os.Lstat(d.f.to); !errors.Is(err, fs.ErrNotExist) {
		return nil, refused(fmt.Errorf("%s exists", d.f.to), "nothing is written over; name another file")
	}
	file, err := os.OpenFile(d.f.to+part, os.O_RDWR|os.O_CREATE, 0o640) //nolint:gosec // as readable as the configuration that it becomes a part of
	if err != nil {
		return nil, failed(err, "name a file with --to that can be written")
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case info.Size() < kept:
		err = fmt.Errorf("%s is shorter than the walk has written", d.f.to+part)
	default:
		if err = file.Truncate(kept); err == nil {
			_, err = file.Seek(0, io.SeekEnd)
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, failed(err, "delete "+d.f.progress+" to begin again")
	}
	return &output{Writer: bufio.NewWriterSize(file, 1<<16), file: file, name: d.f.to, written: kept}, nil
}

// flush hands over what was printed; a file has it for good then.
func (o *output) flush() error {
	n := int64(o.Buffered())
	err := o.Flush()
	if o.file == nil {
		return printed(0, err)
	}
	if err == nil {
		n, err = o.file.Seek(0, io.SeekCurrent)
	}
	if err == nil {
		err = o.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", o.name, err)
	}
	o.written = n
	return nil
}

// close gives a whole file its name. One that is not whole stays beside it, for the walk that goes on.
func (o *output) close(whole bool) error {
	if !whole {
		_ = o.Flush()
		if o.file != nil {
			return o.file.Close()
		}
		return nil
	}
	err := o.flush()
	if o.file == nil {
		return err
	}
	if err = errors.Join(err, o.file.Close()); err != nil {
		return err
	}
	return os.Rename(o.file.Name(), o.name)
}

// listing prints every credential.
type listing struct{}

// headings of the table for people.
const rowFormat = "%-32s %-36s %6s  %-12s %-24s %-8s %s\n"

func (listing) take(d *discovery, c providers.Listed) error {
	rows := d.judge.Rows(c)
	d.at.Counts.Count(rows)
	if !d.json && d.out.written == 0 && d.at.Clients == 0 && d.out.Buffered() == 0 {
		if _, err := fmt.Fprintf(d.out, rowFormat, "CLIENT", "SECRET", "AGE", "EXPIRES", "OWNER", "MADE BY", "REMARKS"); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if err := printRow(d, r); err != nil {
			return err
		}
	}
	return nil
}

func (listing) end(*discovery) error { return nil }

func printRow(d *discovery, r tenant.Row) error {
	if d.json {
		return json.NewEncoder(d.out).Encode(r) //nolint:gosec // an id, never a value
	}
	name := r.Name
	if name == "" {
		name = r.ClientID
	}
	_, err := fmt.Fprintf(d.out, rowFormat, clean(name), clean(orDash(r.Secret)), ageText(r), endText(r), clean(orDash(strings.Join(r.Owners, ","))), r.MadeBy, clean(remarks(r)))
	return err
}

func ageText(r tenant.Row) string {
	if r.AgeDays < 0 {
		return "-"
	}
	return fmt.Sprintf("%dd", r.AgeDays)
}

func endText(r tenant.Row) string {
	switch {
	case r.Never:
		return "never"
	case r.Expires.IsZero():
		return "unknown"
	}
	return r.Expires.UTC().Format(time.DateOnly)
}

// remarks says what somebody should know of a credential.
func remarks(r tenant.Row) string {
	var list []string
	for _, one := range []struct {
		text string
		yes  bool
	}{
		{"never-expires", r.Never},
		{"century", r.Century},
		{"expired", r.Expired},
		{"left-behind", r.LeftBehind},
		{"client " + r.Registered, r.Registered != ""},
	} {
		if one.yes {
			list = append(list, one.text)
		}
	}
	return strings.Join(list, ", ")
}
