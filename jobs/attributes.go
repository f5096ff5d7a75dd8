package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty/workflows/job"
)

// registerPause is the wait between two attempts to register the search attributes.
const registerPause = 5 * time.Second

// RegisterSearchAttributes registers the search attributes in the namespace. It tries until Temporal has answered, or
// ctx ends. A server that keeps clients from doing so (Temporal Cloud) needs an operator to do it: the log says which.
func RegisterSearchAttributes(ctx context.Context, c client.Client, namespace string, log *slog.Logger) {
	for {
		err := register(ctx, c, namespace)
		var refused *serviceerror.PermissionDenied
		var unknown *serviceerror.Unimplemented
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case errors.As(err, &refused) || errors.As(err, &unknown):
			log.WarnContext(ctx, "search attributes not registered; jobs are not found by user and room until they are",
				slog.Any("attributes", []string{job.AttributeUser, job.AttributeRoom}), slog.Any("error", err))
			return
		}
		log.WarnContext(ctx, "search attributes not registered; trying again", slog.Any("error", err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(registerPause):
		}
	}
}

func register(ctx context.Context, c client.Client, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	present, err := c.OperatorService().ListSearchAttributes(ctx,
		&operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("jobs: list search attributes: %w", err)
	}
	missing := map[string]enums.IndexedValueType{}
	for _, name := range []string{job.AttributeUser, job.AttributeRoom} {
		if _, ok := present.GetCustomAttributes()[name]; !ok {
			missing[name] = enums.INDEXED_VALUE_TYPE_KEYWORD
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: namespace, SearchAttributes: missing,
	})
	var exists *serviceerror.AlreadyExists // another process was first
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("jobs: add search attributes: %w", err)
	}
	return nil
}
