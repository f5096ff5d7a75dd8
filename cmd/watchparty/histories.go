package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/worker"
)

// cutFlag removes a flag without a value from arguments, and reports whether it was there.
func cutFlag(args []string, flag string) ([]string, bool) {
	i := slices.Index(args, flag)
	if i < 0 {
		return args, false
	}
	return slices.Delete(slices.Clone(args), i, i+1), true
}

// checkHistories replays the running workflows with this program, and fails if it cannot continue one. It is run before
// a rollout, with the new program.
func (p program) checkHistories(ctx context.Context, cfg config.Config, environ, queues []string) error {
	c, err := dialTemporal(environ, slog.New(slog.DiscardHandler), func(*client.Options) {})
	if err != nil {
		return err
	}
	defer c.Close()
	found, err := worker.CheckHistories(ctx, c, cfg.Temporal.Namespace, queues)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(found.Replayed)) {
		more := ""
		if slices.Contains(found.Left, name) {
			more = "; more are running that were not replayed"
		}
		if _, err := fmt.Fprintf(p.stdout, "%s: %d replayed%s\n", name, found.Replayed[name], more); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(found.Broken)) {
		if _, err := fmt.Fprintf(p.stdout, "%s: %v\n", id, found.Broken[id]); err != nil {
			return err
		}
	}
	if n := len(found.Broken); n > 0 {
		return fmt.Errorf("this program cannot continue %d of the running workflows: do not roll it out", n)
	}
	return nil
}
