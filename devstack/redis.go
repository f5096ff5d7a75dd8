package devstack

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

func newRedis(s *Stack) (*program, error) {
	binary, err := redisBinary()
	if err != nil {
		return nil, err
	}
	dir := s.folders.data(Redis)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make Redis' folder: %w", err)
	}
	return &program{
		stack:   s,
		service: Redis,
		command: func() *exec.Cmd { return redisCommand(binary, dir, s.ports.Redis, s.options.Ephemeral) },
		// Redis replaces its arguments by its address.
		marks:   func() []string { return []string{"redis-server", strconv.Itoa(s.ports.Redis)} },
		answers: func(ctx context.Context) error { return pingRedis(ctx, s.ports.Redis) },
		port:    func() int { return s.ports.Redis },
		quickly: syscall.SIGKILL,
	}, nil
}

func redisCommand(binary, dir string, port int, ephemeral bool) *exec.Cmd {
	args := []string{
		"--port", strconv.Itoa(port), "--bind", host, "--dir", dir, "--appendonly", "no", "--daemonize", "no", "--save",
	}
	if ephemeral {
		args = append(args, "")
	} else {
		args = append(args, "60", "1") // a snapshot after 60 s with a change, and on shutdown
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	return cmd
}

func pingRedis(ctx context.Context, port int) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address(port))
	if err != nil {
		return err
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(deadline)
	}
	if _, err := io.WriteString(c, "PING\r\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "+PONG" {
		return fmt.Errorf("answered %q", answer)
	}
	return nil
}
