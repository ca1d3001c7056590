package notify

import (
	"errors"
	"io/fs"

	"github.com/rotad/rotad/templates"
)

// CheckTemplates renders every sample in every language with templates of one's own, and says all that is wrong with them: a line
// each, which begins with file and line where there is one.
func CheckTemplates(own fs.FS) error {
	r, err := sampleRenderer(own)
	if err != nil {
		return err
	}
	var all []templates.Data
	var wrong []error
	for _, language := range templates.Languages() {
		for _, s := range sampleNotices() {
			d, err := s.data(r, language)
			all, wrong = append(all, d), append(wrong, err)
		}
	}
	return errors.Join(append(wrong, r.set.Check(all...))...)
}

// data is what the mail about a sample may say, with the links to answer it and with its event.
func (s Sample) data(r *Renderer, language string) (templates.Data, error) {
	n, to := s.Notice, s.reader(language)
	if len(s.Digest) > 0 {
		views := r.views(s.Digest, to, sampleNow())
		return digestData(views), views[0].speech.wrong
	}
	if to.About != "" {
		n = aboutChannel(n, to)
	}
	v := r.view(n, to, sampleNow())
	d := v.data()
	d.Answers = v.answers(sampleAnswers(n, to.To))
	if n.Calendar != nil {
		d.Event = v.happens()
		d.Event.Note = v.eventNote(d.Event)
	}
	return d, v.speech.wrong
}
