// Package deploy_test keeps what people deploy from in step with the settings that the program knows.
package deploy_test

import (
	"context"
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/workflows/job"
)

// programs are the services that read the settings.
var programs = []string{"migrate", "api", "worker", "avatars"}

// minimal is the least that .env has to say.
var minimal = map[string]string{
	"AUTH_SECRET": strings.Repeat("s", config.MinSecretBytes),
	"SMTP_HOST":   "smtp.example.org",
}

// project loads docker-compose.yml beside a file .env with those lines.
func project(t *testing.T, dotenv ...string) *types.Project {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"docker-compose.yml", "deploy/compose.env"} {
		content, err := os.ReadFile(filepath.Join("..", name))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	for name, value := range minimal {
		dotenv = append([]string{name + "=" + value}, dotenv...)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".env"), []byte(strings.Join(dotenv, "\n")+"\n"), 0o600))
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "docker-compose.yml")},
		cli.WithWorkingDirectory(dir), cli.WithEnvFiles(), cli.WithDotEnv, cli.WithDefaultProfiles())
	require.NoError(t, err)
	p, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	return p
}

// environ is what the service's program gets.
func environ(t *testing.T, p *types.Project, service string) []string {
	t.Helper()
	require.Contains(t, p.Services, service)
	var environ []string
	for name, value := range p.Services[service].Environment {
		require.NotNil(t, value, name)
		environ = append(environ, name+"="+*value)
	}
	return environ
}

// TestComposePassesEverySetting: what .env says of any setting reaches every program.
func TestComposePassesEverySetting(t *testing.T) {
	for _, name := range config.Names() {
		t.Run(name, func(t *testing.T) {
			p := project(t, name+"='set/by#an operator'")
			for _, service := range programs {
				require.Contains(t, environ(t, p, service), name+"=set/by#an operator", service)
			}
		})
	}
}

// TestComposeDefaults: with the least that .env has to say, each program starts, and finds the servers beside it.
func TestComposeDefaults(t *testing.T) {
	p := project(t)
	for _, service := range programs {
		cfg, err := config.Load(environ(t, p, service))
		require.NoError(t, err, service)
		require.Equal(t, "production", cfg.Env)
		require.Equal(t, "postgres://watchparty:watchparty@postgres:5432/watchparty?sslmode=disable", cfg.Database.URL)
		require.Equal(t, "redis://redis:6379/0", cfg.Redis.URL)
		require.Equal(t, "file:///files?no_tmp_dir=true&metadata=skip", cfg.Blob.URL)
		require.Contains(t, environ(t, p, service), "TEMPORAL_ADDRESS=temporal:7233")
	}
}

// TestComposeOwnServers: servers of the operator's own are named in .env alone.
func TestComposeOwnServers(t *testing.T) {
	p := project(
		t,
		"DATABASE_HOST=db.example.org",
		"DATABASE_PASSWORD='a/b#c'",
		"REDIS_HOST=cache",
		"REDIS_PASSWORD='r/#'",
		"BLOB_URL=s3://files?region=eu-central-1",
		"AWS_ACCESS_KEY_ID=key",
		"AWS_SECRET_ACCESS_KEY=secret/+",
	)
	cfg, err := config.Load(environ(t, p, "api"))
	require.NoError(t, err)
	require.Equal(t, "postgres://watchparty:a%2Fb%23c@db.example.org:5432/watchparty", cfg.Database.URL)
	require.Equal(t, "redis://:r%2F%23@cache:6379/0", cfg.Redis.URL)
	require.Equal(t, "s3://files?region=eu-central-1", cfg.Blob.URL)
}

// TestComposePassword: Postgres, Temporal and the program get one password, whichever variable has it.
func TestComposePassword(t *testing.T) {
	for _, variable := range []string{"DATABASE_PASSWORD", "POSTGRES_PASSWORD"} {
		p := project(t, variable+"='a/b#c@d'")
		require.Equal(t, "a/b#c@d", *p.Services["postgres"].Environment["POSTGRES_PASSWORD"])
		require.Equal(t, "a/b#c@d", *p.Services["temporal"].Environment["POSTGRES_PWD"])
		require.Equal(t, "a/b#c@d", *p.Services["temporal-schema"].Environment["SQL_PASSWORD"])
		cfg, err := config.Load(environ(t, p, "api"))
		require.NoError(t, err)
		require.Equal(t, "postgres://watchparty:a%2Fb%23c%40d@postgres:5432/watchparty?sslmode=disable", cfg.Database.URL)
	}
}

// TestComposeRedisPassword: Redis and its health check take the password that the program has, and no other. It runs
// the service's commands on this machine, with a socket.
func TestComposeRedisPassword(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"", "secret", "a/b#c@d,e", `sp ace "quoted" \n`, "--save", "-", "$HOME"} {
		p := project(t, "REDIS_PASSWORD='"+password+"'")
		service := p.Services["redis"]
		dir, err := os.MkdirTemp("", "redis") // the path of a socket must be short
		require.NoError(t, err)
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		socket := filepath.Join(dir, "s")
		run := func(ctx context.Context, command []string, more ...string) *exec.Cmd {
			c := exec.CommandContext(ctx, command[0], command[1:]...)
			c.Dir, c.Env = dir, append(os.Environ(), more...)
			return c
		}
		ctx, cancel := context.WithCancel(t.Context())
		server := run(ctx, append(slices.Clone([]string(service.Command)), "--port", "0", "--unixsocket", socket))
		require.NoError(t, server.Start())
		t.Cleanup(func() {
			cancel()
			_ = server.Wait()
		})

		cfg, err := config.Load(environ(t, p, "api"))
		require.NoError(t, err)
		options, err := redis.ParseURL(cfg.Redis.URL)
		require.NoError(t, err)
		require.Equal(t, password, options.Password)
		options.Network, options.Addr = "unix", socket
		connect := func(password string) *redis.Client {
			own := *options
			own.Password = password
			c := redis.NewClient(&own)
			t.Cleanup(func() { _ = c.Close() })
			return c
		}
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.NoError(c, connect(options.Password).Ping(t.Context()).Err())
		}, 2*time.Minute, 20*time.Millisecond, password)
		check := append([]string{service.HealthCheck.Test[1], "-s", socket}, service.HealthCheck.Test[2:]...)
		require.Equal(t, "CMD", service.HealthCheck.Test[0])
		auth := *service.Environment["REDISCLI_AUTH"]
		out, err := run(t.Context(), check, "REDISCLI_AUTH="+auth).CombinedOutput()
		require.NoError(t, err, "%s", out)
		if password != "" {
			require.Error(t, connect("").Ping(t.Context()).Err())
			require.Error(t, run(t.Context(), check, "REDISCLI_AUTH=other").Run())
		}
	}
}

// TestComposeNeedsAMailServer: nothing in the file names one, and the inbox is there for those who ask for it.
func TestComposeNeedsAMailServer(t *testing.T) {
	p := project(t, "SMTP_HOST=")
	require.NotContains(t, p.Services, "mailpit")
	_, err := config.Load(environ(t, p, "api"))
	require.ErrorContains(t, err, "SMTP_HOST is required")
	p = project(t, "COMPOSE_PROFILES=mailpit", "SMTP_HOST=mailpit", "SMTP_PORT=1025", "SMTP_TLS=none")
	require.Contains(t, p.Services, "mailpit")
	_, err = config.Load(environ(t, p, "api"))
	require.NoError(t, err)
}

// TestComposeNamespace: the namespace that the program uses is the one that is made.
func TestComposeNamespace(t *testing.T) {
	require.Equal(t, "default", *project(t).Services["temporal-namespace"].Environment["NAMESPACE"])
	p := project(t, "TEMPORAL_NAMESPACE=party")
	require.Equal(t, "party", *p.Services["temporal-namespace"].Environment["NAMESPACE"])
}

// allProfiles is a line of .env with which every service is there.
const allProfiles = "COMPOSE_PROFILES=mailpit,tls"

// TestComposeProfiles: allProfiles leaves no service out.
func TestComposeProfiles(t *testing.T) {
	require.Empty(t, project(t, allProfiles).DisabledServices)
}

// capabilities are what services may do as root. All others can do nothing as root.
var capabilities = map[string][]string{
	"postgres": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"},
	"proxy":    {"NET_BIND_SERVICE"},
	"files":    {"CHOWN"},
}

// TestComposeIsHardened: no service can gain rights, write to its image or take all memory of the machine.
func TestComposeIsHardened(t *testing.T) {
	p := project(t, allProfiles)
	for name, service := range p.Services {
		require.Equal(t, []string{"ALL"}, service.CapDrop, name)
		require.ElementsMatch(t, capabilities[name], service.CapAdd, name)
		require.Contains(t, service.SecurityOpt, "no-new-privileges:true", name)
		require.Len(t, service.SecurityOpt, 1, name)
		require.Positive(t, service.MemLimit, name)
		require.True(t, service.ReadOnly, name)
		require.Contains(t, service.Tmpfs, "/tmp", name)
		require.False(t, service.Privileged, name)
		require.Empty(t, service.NetworkMode+service.Pid+service.Ipc, name)
		require.Empty(t, service.Devices, name)
		for _, volume := range service.Volumes {
			require.True(t, volume.ReadOnly || volume.Type == types.VolumeTypeVolume, "%s: %s", name, volume.Source)
		}
	}
	for _, name := range []string{"api", "worker", "avatars"} {
		check := p.Services[name].HealthCheck
		require.NotNil(t, check, name)
		require.Equal(t, []string{"CMD", "watchparty", "health", p.Services[name].Command[0]}, []string(check.Test[:4]), name)
		require.Equal(t, []string(p.Services[name].Command[1:]), []string(check.Test[4:]), name)
	}
}

// TestBuildContext: neither secrets nor what is built on this machine goes to the builder.
func TestBuildContext(t *testing.T) {
	content, err := os.ReadFile("../.dockerignore")
	require.NoError(t, err)
	for _, path := range []string{".env", ".env.*", ".git", ".watchparty", "bin", "deploy/secrets"} {
		require.Contains(t, strings.Split(string(content), "\n"), path)
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
	require.Equal(t, []string{job.TaskQueueAvatar}, queues("avatars"))
	require.ElementsMatch(t, job.ServableTaskQueues(), append(queues("worker"), queues("avatars")...))
}

// TestComposePorts: everything is found at the addresses of the development stack, or where a variable says.
func TestComposePorts(t *testing.T) {
	ports := devstack.DefaultPorts(0)
	want := map[string][]int{
		"postgres": {ports.Postgres}, "redis": {ports.Redis}, "temporal": {ports.Temporal}, "temporal-ui": {ports.TemporalUI},
		"mailpit": {ports.SMTP, ports.Inbox}, "api": {5000, 9090}, "worker": {9091}, "proxy": {80, 443},
	}
	require.Equal(t, want, published(t, project(t, allProfiles)))
	moved := []string{allProfiles}
	for i, name := range []string{
		"POSTGRES", "REDIS", "TEMPORAL", "TEMPORAL_UI", "SMTP", "INBOX", "API", "API_METRICS", "WORKER_METRICS", "HTTP",
		"HTTPS",
	} {
		moved = append(moved, "PUBLISH_"+name+"=127.0.0.1:"+strconv.Itoa(20000+i))
	}
	p := project(t, moved...)
	require.Equal(t, map[string][]int{
		"postgres": {20000}, "redis": {20001}, "temporal": {20002}, "temporal-ui": {20003},
		"mailpit": {20004, 20005}, "api": {20006, 20007}, "worker": {20008}, "proxy": {20009, 20010},
	}, published(t, p))
	require.Equal(t, "127.0.0.1", p.Services["api"].Ports[0].HostIP)
}

// published are the ports of this machine that lead to each service.
func published(t *testing.T, p *types.Project) map[string][]int {
	t.Helper()
	all := map[string][]int{}
	for name, service := range p.Services {
		for _, port := range service.Ports {
			number, err := strconv.Atoi(port.Published)
			require.NoError(t, err)
			all[name] = append(all[name], number)
		}
	}
	return all
}

// TestComposeTemporal: the images of Temporal are of the version that the tests run with.
func TestComposeTemporal(t *testing.T) {
	setup, err := os.ReadFile("setup.sh")
	require.NoError(t, err)
	noted := regexp.MustCompile(`(?m)^TEMPORAL=(v\S+) # with server (\S+) and UI ([\d.]+\d)`).
		FindStringSubmatch(string(setup))
	require.Len(t, noted, 4)
	command, server, ui := noted[1], noted[2], noted[3]
	if built, err := buildinfo.ReadFile("../bin/temporal"); err == nil {
		require.Equal(t, command, built.Main.Version)
		for _, module := range built.Deps {
			switch module.Path {
			case "go.temporal.io/server":
				require.Equal(t, "v"+server, module.Version)
			case "github.com/temporalio/ui-server/v2":
				require.Equal(t, "v"+ui, module.Version)
			}
		}
	}
	for name, service := range project(t, allProfiles).Services {
		image, tag, _ := strings.Cut(service.Image, ":")
		switch image {
		case "temporalio/server":
			require.Equal(t, server, tag, name)
		case "temporalio/admin-tools": // with the version of the command temporal in it
			require.Regexp(t, "^"+regexp.QuoteMeta(server)+`-tctl-[\d.]+-cli-[\d.]+$`, tag, name)
		case "temporalio/ui":
			require.Equal(t, ui, tag, name)
		default:
			require.NotContains(t, image, "temporal", name)
		}
	}
}

// TestComposeImages: nothing floats.
func TestComposeImages(t *testing.T) {
	for name, service := range project(t, allProfiles).Services {
		require.Regexp(t, `:[\w.-]*(\d|slim|local)[\w.-]*$`, service.Image, name)
	}
}
