package config

import (
	"strconv"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// builtinSteps are the steps of a wave where none are written.
func builtinSteps() []credential.WaveStep {
	return []credential.WaveStep{{Clients: 1}, {Percent: 1}, {Percent: 10}}
}

func (w *waveSettings) check(s scope) {
	if w.Least < 0 {
		s.child("least").report("is negative", "0 means that every failure stops the rest")
	}
	if w.Steps == nil {
		return
	}
	for i, text := range *w.Steps {
		if _, ok := waveStep(text); !ok {
			s.child("steps").index(i).report(strconv.Quote(text)+" is no step of a wave", `write a number of clients in quotes, such as "1", or a share of them, such as 1%`)
		}
	}
}

// pace converts what is written.
func (p *providerSettings) pace() credential.Pace {
	pace := credential.Pace{Steps: builtinSteps(), Least: p.Wave.Least, Quota: p.Limits.CreatesPerDay}
	if p.Wave.Steps == nil {
		return pace
	}
	pace.Steps = nil
	for _, text := range *p.Wave.Steps {
		if step, ok := waveStep(text); ok {
			pace.Steps = append(pace.Steps, step)
		}
	}
	return pace
}

// waveStep reads "3" or "2.5%".
func waveStep(text string) (step credential.WaveStep, ok bool) {
	share, isShare := strings.CutSuffix(text, "%")
	if !isShare {
		n, err := strconv.Atoi(text)
		return credential.WaveStep{Clients: n}, err == nil && n > 0
	}
	percent, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
	return credential.WaveStep{Percent: percent}, err == nil && percent > 0 && percent <= 100
}
