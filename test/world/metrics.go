package world

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$`)

var labelPair = regexp.MustCompile(`([a-zA-Z_]+)="((?:[^"\\]|\\.)*)"`)

// Metric returns the value of the only series with this name and at least these labels.
func (d *Daemon) Metric(name string, labels Block) (float64, error) {
	text, err := d.get("/metrics")
	if err != nil {
		return 0, err
	}
	var found []float64
	for line := range strings.SplitSeq(text, "\n") {
		m := sampleLine.FindStringSubmatch(line)
		if m == nil || m[1] != name || !hasLabels(m[2], labels) {
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return 0, fmt.Errorf("reading %s: %w", name, err)
		}
		found = append(found, value)
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("%s%v has %d series, want 1", name, labels, len(found))
	}
	return found[0], nil
}

func hasLabels(text string, wanted Block) bool {
	have := map[string]string{}
	for _, pair := range labelPair.FindAllStringSubmatch(text, -1) {
		have[pair[1]] = pair[2]
	}
	for name, value := range wanted {
		if have[name] != value {
			return false
		}
	}
	return true
}

// MetricSum returns the sum of all series with this name; no series at all is 0.
func (d *Daemon) MetricSum(name string) (float64, error) {
	text, err := d.get("/metrics")
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for line := range strings.SplitSeq(text, "\n") {
		m := sampleLine.FindStringSubmatch(line)
		if m == nil || m[1] != name {
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return 0, fmt.Errorf("reading %s: %w", name, err)
		}
		sum += value
	}
	return sum, nil
}
