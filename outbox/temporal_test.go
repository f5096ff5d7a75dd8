package outbox

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestClassify(t *testing.T) {
	started := serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "request", "run")
	for _, test := range []struct {
		name          string
		err           error
		started, away bool
	}{
		{"no error", nil, true, false},
		{"already started", started, true, false},
		{"already started, wrapped", fmt.Errorf("start: %w", started), true, false},
		{"deadline", context.DeadlineExceeded, false, true},
		{"deadline, wrapped", fmt.Errorf("start: %w", context.DeadlineExceeded), false, true},
		{"cancelled", context.Canceled, false, true},
		{"deadline of the server", serviceerror.NewDeadlineExceeded("slow"), false, true},
		{"unavailable", serviceerror.NewUnavailable("away"), false, true},
		{"unavailable, wrapped", fmt.Errorf("start: %w", serviceerror.NewUnavailable("away")), false, true},
		{"unavailable, as a status", status.Error(codes.Unavailable, "away"), false, true},
		{"internal", serviceerror.NewInternal("oops"), false, false},
		{"of no kind", errors.New("what is this"), false, false},
		{"busy", serviceerror.NewResourceExhausted(0, "busy"), false, true},
		{"invalid", serviceerror.NewInvalidArgument("bad id"), false, false},
		{"invalid, wrapped", fmt.Errorf("start: %w", serviceerror.NewInvalidArgument("bad id")), false, false},
		{"already exists", status.Error(codes.AlreadyExists, "what"), false, false},
		{"no such namespace", serviceerror.NewNamespaceNotFound("none"), false, true},
		{"no such namespace, wrapped", fmt.Errorf("x: %w", serviceerror.NewNamespaceNotFound("none")), false, true},
		{"no such namespace, without details", serviceerror.NewNotFound("none"), false, true},
		{"the namespace is being deleted", serviceerror.NewNamespaceInvalidState("x", 0, nil), false, true},
		{"the namespace is elsewhere", serviceerror.NewNamespaceNotActive("x", "here", "there"), false, true},
		{"not allowed", serviceerror.NewPermissionDenied("no", ""), false, true},
		{"the key has expired", status.Error(codes.Unauthenticated, "expired"), false, true},
		{"the key has expired, wrapped", fmt.Errorf("x: %w", status.Error(codes.Unauthenticated, "no")), false, true},
		{"another server", serviceerror.NewUnimplemented("what?"), false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := classify(test.err)
			require.Equal(t, test.away, isAway(err))
			if test.started {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.err, "the reason is kept")
		})
	}
}
