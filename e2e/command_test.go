package e2e

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWrongSettings: one line says what is wrong and how to mend it, and the exit code is 1.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	complete := append(bareEnvironment(t),
		"APP_ENV=production", "AUTH_SECRET="+strings.Repeat("s", 32), "DATABASE_URL=postgres://u:hush@127.0.0.1:1/x",
		"REDIS_URL=redis://127.0.0.1:1", "SMTP_HOST=127.0.0.1", "BLOB_URL=mem://", "METRICS_ADDR=off",
	)
	cases := map[string]struct {
		environ []string
		args    []string
		says    []string
	}{
		"nothing set": {
			bareEnvironment(t),
			[]string{"api"},
			[]string{"AUTH_SECRET", "DATABASE_URL", "REDIS_URL", "SMTP_HOST", "BLOB_URL"},
		},
		"wrong kinds": {append(complete, "SMTP_PORT=many"), []string{"worker"}, []string{"SMTP_PORT must be a whole number"}},
		"out of range": {append(complete, "DATABASE_MAX_CONNS=1", "SMTP_TIMEOUT=1m"), []string{"api"},
			[]string{"DATABASE_MAX_CONNS must be from 2 to 1000", "SMTP_TIMEOUT must be at most 25s"}},
		"port taken": {
			append(complete, "HTTP_ADDR="+taken.Addr().String()),
			[]string{"api"},
			[]string{taken.Addr().String(), "HTTP_ADDR"},
		},
		"unknown command": {complete, []string{"fly"}, []string{`unknown command "fly"`}},
		"unknown queue":   {complete, []string{"worker", "--queues", "fly"}, []string{`unknown task queue "fly"`, "email"}},
		"dev in earnest":  {complete, []string{"dev"}, []string{"APP_ENV"}},
		"database away":   {complete, []string{"migrate"}, []string{"connect"}},
		"no offset":       {append(bareEnvironment(t), "DEV_PORT_OFFSET=x"), []string{"dev"}, []string{"DEV_PORT_OFFSET"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, t.TempDir(), c.environ, c.args...)
			require.Equal(t, 1, p.wait(t), p.out.String())
			said := strings.TrimSpace(p.out.String())
			lines := strings.Split(said, "\n")
			last := lines[len(lines)-1]
			require.True(t, strings.HasPrefix(last, "watchparty: "), said)
			for _, part := range c.says {
				require.Contains(t, last, part)
			}
			require.NotContains(t, said, "hush")
		})
	}
}
