package devstack_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
)

func registerNamespace(t *testing.T, address, name string) {
	t.Helper()
	require.NoError(t, withTemporal(address, func(c workflowservice.WorkflowServiceClient) error {
		_, err := c.RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
			Namespace: name, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
		})
		return err
	}))
}

func describeNamespace(ctx context.Context, address, name string) error {
	return withTemporal(address, func(c workflowservice.WorkflowServiceClient) error {
		_, err := c.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: name})
		return err
	})
}

func withTemporal(address string, use func(workflowservice.WorkflowServiceClient) error) error {
	c, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer c.Close()
	return use(workflowservice.NewWorkflowServiceClient(c))
}
