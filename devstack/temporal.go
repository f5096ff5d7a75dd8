package devstack

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
)

func newTemporal(s *Stack) (*program, error) {
	binary, err := temporalBinary(s.options.TemporalBinary)
	if err != nil {
		return nil, err
	}
	dir := s.folders.data(Temporal)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make Temporal's folder: %w", err)
	}
	database := filepath.Join(dir, "temporal.db")
	return &program{
		stack:   s,
		service: Temporal,
		command: func() *exec.Cmd { return temporalCommand(binary, database, s) },
		marks:   func() []string { return []string{"start-dev", database} },
		answers: func(ctx context.Context) error { return s.askTemporal(ctx) },
		port:    func() int { return s.ports.Temporal },
		quickly: syscall.SIGKILL,
	}, nil
}

func temporalCommand(binary, database string, s *Stack) *exec.Cmd {
	args := []string{
		"server", "start-dev", "--ip", host, "--port", strconv.Itoa(s.ports.Temporal),
		"--db-filename", database, "--log-level", "error",
		// deploy/temporal/dynamicconfig.yaml says why.
		"--dynamic-config-value", "matching.useNewMatcher=true",
		"--dynamic-config-value", "matching.numTaskqueueReadPartitions=1",
		"--dynamic-config-value", "matching.numTaskqueueWritePartitions=1",
	}
	if s.options.temporalUI() {
		args = append(args, "--ui-port", strconv.Itoa(s.ports.TemporalUI))
	} else {
		args = append(args, "--headless")
	}
	if s.options.Ephemeral {
		// The database is a file, so that workflows survive Kill. Without syncing it is as fast as memory.
		args = append(args, "--sqlite-pragma", "synchronous=OFF")
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = filepath.Dir(database)
	cmd.Env = withoutTemporalSettings(os.Environ())
	return cmd
}

// withoutTemporalSettings removes the variables for clients, which the command would read as well.
func withoutTemporalSettings(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(setting string) bool {
		return strings.HasPrefix(setting, "TEMPORAL_")
	})
}

// askTemporal returns nil when workflows can be started in the default namespace, and the UI, if any, is up.
func (s *Stack) askTemporal(ctx context.Context) error {
	c, err := grpc.NewClient("passthrough:///"+address(s.ports.Temporal),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		return err
	}
	defer c.Close()

	const frontend = "temporal.api.workflowservice.v1.WorkflowService"
	health, err := grpc_health_v1.NewHealthClient(c).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: frontend})
	if err != nil {
		return err
	}
	if health.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("frontend is %s", health.GetStatus())
	}
	request := &workflowservice.DescribeNamespaceRequest{Namespace: "default"}
	if _, err := workflowservice.NewWorkflowServiceClient(c).DescribeNamespace(ctx, request); err != nil {
		return err
	}
	if !s.options.temporalUI() {
		return nil
	}
	return dial(ctx, s.ports.TemporalUI)
}

func dial(ctx context.Context, port int) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address(port))
	if err != nil {
		return err
	}
	return c.Close()
}
