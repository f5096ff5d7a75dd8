package e2e

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	temporal "go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"
)

type history struct {
	id, kind string
	bytes    []byte
}

func (h history) requireNone(t *testing.T, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		require.False(t, bytes.Contains(h.bytes, []byte(secret)), "%s holds %q", h.id, secret)
	}
}

// histories exports every workflow, as many as there have to be, with its history as protobuf bytes, in which payloads
// stand as they are.
func histories(t *testing.T, from temporal.Client, number int) []history {
	t.Helper()
	var all []history
	eventually(t, func(c *assert.CollectT) {
		listed, err := from.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
		require.NoError(c, err)
		require.GreaterOrEqual(c, len(listed.GetExecutions()), number, "visibility has caught up")
		all = nil
		for _, e := range listed.GetExecutions() {
			described, err := proto.Marshal(e)
			require.NoError(c, err)
			h := history{id: e.GetExecution().GetWorkflowId(), kind: e.GetType().GetName(), bytes: described}
			h.bytes = append(h.bytes, events(c, from, h.id)...)
			all = append(all, h)
		}
	}, "the workflows are listed")
	return all
}

func events(t require.TestingT, from temporal.Client, workflowID string) []byte {
	var out []byte
	events := from.GetWorkflowHistory(context.Background(), workflowID, "", false, 0)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		encoded, err := proto.Marshal(event)
		require.NoError(t, err)
		out = append(out, encoded...)
	}
	return out
}
