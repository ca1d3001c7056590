package main

import (
	"context"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/destination"
	"github.com/rotad/rotad/internal/reload"
)

// checkPlaces asks every destination, and what a reload would have to do with, whether it could be done: what is wrong there
// would be seen in a rotation only, when the new secret is published. Nothing is changed.
func (a *app) checkPlaces(ctx context.Context, cfg *config.Config) (bad int) {
	for _, c := range cfg.Clients {
		for _, d := range c.Destinations {
			if err := destination.Check(ctx, d); err != nil {
				bad += a.finding("client "+c.ID+", destination "+d.Name, true, err.Error(), "")
			}
		}
		for _, step := range c.Reloads {
			if err := reload.Check(ctx, step); err != nil {
				bad += a.finding("client "+c.ID+", reload "+step.Name, true, err.Error(), "")
			}
		}
	}
	return bad
}
