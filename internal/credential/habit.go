package credential

import (
	"slices"
	"time"
)

// Habit is how long a consumer went on with an old secret after the new one was published, rotation by rotation. It is what an
// overlap can be measured by.
type Habit struct {
	Consumer string          `json:"consumer,omitempty"` // empty = whoever uses the secret, as the provider saw it
	Lasted   []time.Duration `json:"lasted"`             // from the promote to the last known use of the old one; newest last, at most KeptHabits
}

// KeptHabits is how many rotations are remembered of each consumer: two years of quarters, in a hundred bytes.
const KeptHabits = 8

// Learned returns the habits with one more rotation of a consumer. Those of consumers that the client no longer names are left
// out. A use from before the promote is none of the old secret.
func (r *Record) Learned(consumer string, lasted time.Duration) []Habit {
	lasted = max(lasted, 0).Truncate(time.Second)
	var out []Habit
	found := false
	for _, h := range r.Habits {
		switch {
		case h.Consumer == consumer:
			h.Lasted, found = append(slices.Clone(h.Lasted), lasted), true
			h.Lasted = h.Lasted[max(0, len(h.Lasted)-KeptHabits):]
		case h.Consumer != "" && !r.names(h.Consumer):
			continue
		}
		out = append(out, h)
	}
	if !found {
		out = append(out, Habit{Consumer: consumer, Lasted: []time.Duration{lasted}})
	}
	return out
}

// names says whether the client names a consumer.
func (r *Record) names(consumer string) bool {
	return slices.ContainsFunc(r.Published().Consumers, func(c NamedConsumer) bool { return c.Name == consumer })
}

func (h Habit) equal(o Habit) bool {
	return h.Consumer == o.Consumer && slices.Equal(h.Lasted, o.Lasted)
}
