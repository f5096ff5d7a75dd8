package devstack

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// PrometheusInstalled reports whether this machine has Prometheus. A stack works without it.
func PrometheusInstalled() bool {
	_, err := prometheusBinary()
	return err == nil
}

func prometheusBinary() (string, error) {
	if path, err := exec.LookPath("prometheus"); err == nil {
		return filepath.Abs(path)
	}
	return "", missing("Prometheus", "apt-get install prometheus", "brew install prometheus")
}

// prometheusRetention is how long development keeps what it has measured.
const prometheusRetention = "3d"

func newPrometheus(s *Stack) (*program, error) {
	binary, err := prometheusBinary()
	if err != nil {
		return nil, err
	}
	dir := s.folders.data(Prometheus)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make Prometheus' folder: %w", err)
	}
	for name, content := range s.options.Prometheus {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return nil, fmt.Errorf("write Prometheus' settings: %w", err)
		}
	}
	return &program{
		stack:   s,
		service: Prometheus,
		command: func() *exec.Cmd {
			return exec.Command(binary,
				"--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
				"--storage.tsdb.retention.time="+prometheusRetention, "--web.listen-address="+address(s.ports.Prometheus))
		},
		marks: func() []string { return []string{"prometheus", address(s.ports.Prometheus)} },
		answers: func(ctx context.Context) error {
			return getReady(ctx, "http://"+address(s.ports.Prometheus)+"/-/ready")
		},
		port:    func() int { return s.ports.Prometheus },
		quickly: syscall.SIGKILL,
	}, nil
}

func getReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", strings.ToLower(response.Status))
	}
	return nil
}

// PrometheusURL is the page of Prometheus.
func (s *Stack) PrometheusURL() string {
	if !s.Has(Prometheus) {
		return ""
	}
	return fmt.Sprintf("http://localhost:%d", s.ports.Prometheus)
}
