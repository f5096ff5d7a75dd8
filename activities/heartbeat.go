package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
)

// heartbeatEvery is the pause between two heartbeats of an activity. Temporal takes a worker for dead when they stop.
const heartbeatEvery = 2 * time.Second

// startHeartbeats sends heartbeats until stop is called. stop waits for the goroutine to end.
func startHeartbeats(ctx context.Context) (stop func()) {
	stopped, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(heartbeatEvery)
		defer ticker.Stop()
		for {
			select {
			case <-stopped:
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() { close(stopped); <-done }
}
