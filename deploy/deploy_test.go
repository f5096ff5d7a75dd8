// Package deploy_test keeps what people deploy from in step with the settings that the program knows.
package deploy_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/caarlos0/env/v11"
	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/workflows/job"
)

// outside are settings that other parts read: the Temporal SDK and `watchparty dev`.
var outside = map[string]string{
	"TEMPORAL_ADDRESS": "localhost:7233", "TEMPORAL_API_KEY": "", "TEMPORAL_TLS": "",
	"TEMPORAL_TLS_CLIENT_CERT_PATH": "", "TEMPORAL_TLS_CLIENT_KEY_PATH": "", "TEMPORAL_TLS_SERVER_CA_CERT_PATH": "",
	"TEMPORAL_TLS_SERVER_NAME": "", "DEV_PORT_OFFSET": "",
}

// settings are all variables that the program reads, with their defaults.
func settings(t *testing.T) map[string]string {
	t.Helper()
	params, err := env.GetFieldParams(&config.Config{})
	require.NoError(t, err)
	require.NotEmpty(t, params)
	vars := map[string]string{}
	for _, p := range params {
		vars[p.Key] = p.DefaultValue
	}
	for name, value := range outside {
		vars[name] = value
	}
	return vars
}

func TestEnvExample(t *testing.T) {
	text, err := os.ReadFile("../.env.example")
	require.NoError(t, err)
	require.NotRegexp(t, `(?m)^[^#\n]`, string(text), "nothing is set: a copy as .env changes nothing")
	example, err := godotenv.Unmarshal(regexp.MustCompile(`(?m)^#([A-Z_]+=)`).ReplaceAllString(string(text), "$1"))
	require.NoError(t, err)
	require.Equal(t, settings(t), example, "variables and defaults")
}

func TestReadmeNamesEverySetting(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	named := map[string]bool{}
	for _, name := range regexp.MustCompile("`([A-Z]+(?:_[A-Z]+)+)`").FindAllStringSubmatch(string(readme), -1) {
		named[name[1]] = true
	}
	known := settings(t)
	for name := range known {
		require.True(t, named[name] || strings.HasPrefix(name, "TEMPORAL_TLS"), "README.md does not name %s", name)
	}
	for name := range named {
		require.Contains(t, known, name, "README.md names a setting that there is not")
	}
}

func project(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../docker-compose.yml"},
		cli.WithEnv([]string{"AUTH_SECRET=" + strings.Repeat("s", config.MinSecretBytes)}))
	require.NoError(t, err)
	p, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	return p
}

// TestComposeSettings: what compose tells the program is what it knows, and enough for it to start.
func TestComposeSettings(t *testing.T) {
	known := settings(t)
	p := project(t)
	for _, name := range []string{"migrate", "api", "worker", "avatars"} {
		var environ []string
		for variable, value := range p.Services[name].Environment {
			require.Contains(t, known, variable, name)
			require.NotNil(t, value, variable)
			environ = append(environ, variable+"="+*value)
		}
		cfg, err := config.Load(environ)
		require.NoError(t, err, name)
		require.Equal(t, "production", cfg.Env)
	}
}

// TestComposeQueues: each task queue has one worker, and pictures are by themselves.
func TestComposeQueues(t *testing.T) {
	p := project(t)
	queues := func(service string) []string {
		command := p.Services[service].Command
		require.Len(t, command, 3)
		require.Equal(t, []string{"worker", "--queues"}, []string(command[:2]))
		return strings.Split(command[2], ",")
	}
	require.Equal(t, []string{job.QueueAvatar}, queues("avatars"))
	require.ElementsMatch(t, job.Queues(), append(queues("worker"), queues("avatars")...))
}

// TestComposePorts: everything is found at the addresses of the development stack.
func TestComposePorts(t *testing.T) {
	ports := devstack.DefaultPorts(0)
	want := map[string][]int{
		"postgres": {ports.Postgres}, "redis": {ports.Redis}, "temporal": {ports.Temporal}, "temporal-ui": {ports.TemporalUI},
		"mailpit": {ports.SMTP, ports.Inbox}, "api": {5000, 9090}, "worker": {9091},
	}
	got := map[string][]int{}
	for name, service := range project(t).Services {
		for _, port := range service.Ports {
			published, err := strconv.Atoi(port.Published)
			require.NoError(t, err)
			got[name] = append(got[name], published)
		}
	}
	require.Equal(t, want, got)
}

// TestComposeImages: nothing floats.
func TestComposeImages(t *testing.T) {
	for name, service := range project(t).Services {
		require.Regexp(t, `:[\w.-]*(\d|slim|local)[\w.-]*$`, service.Image, name)
	}
}
