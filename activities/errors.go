package activities

import (
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// notFoundIsFinal makes the absence of a row a permanent error.
func notFoundIsFinal(err error) error {
	if watchparty.IsKind(err, watchparty.KindNotFound) {
		return temporal.NewNonRetryableApplicationError("the row is gone", job.ErrorNotFound, nil)
	}
	return err
}

// retryAfter returns an error after which the activity is tried again after a time.
func retryAfter(text, kind string, wait time.Duration) error {
	return temporal.NewApplicationErrorWithOptions(text, kind, temporal.ApplicationErrorOptions{NextRetryDelay: wait})
}
