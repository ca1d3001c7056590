package rotation

import "github.com/rotad/rotad/internal/credential"

// audit writes one entry down.
func (s *step) audit(e credential.Event, fill func(*credential.Audit)) {
	a := credential.Audit{At: s.env.Now, Client: s.rec.Client.ID, Event: e, Mode: s.rec.Mode(), Phase: s.rec.Phase()}
	if s.rec.Rotation != nil {
		a.Rotation = s.rec.Rotation.ID
	}
	if fill != nil {
		fill(&a)
	}
	s.out.Audit = append(s.out.Audit, a)
}

func (s *step) auditDetail(e credential.Event, detail string) {
	s.audit(e, func(a *credential.Audit) { a.Detail = detail })
}
