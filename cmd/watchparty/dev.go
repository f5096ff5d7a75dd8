package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/demo"
	"github.com/watchparty/watchparty/deploy/monitoring"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/migrations"
	"github.com/watchparty/watchparty/workflows/job"
)

// dev runs the whole system on this machine: the servers that the environment does not name, and the API and the worker
// in this process.
func (p program) dev(ctx context.Context) error {
	if len(p.args) > 0 {
		return errUsage
	}
	if err := p.executeForImages(); err != nil {
		return err
	}
	began := time.Now()
	d, err := p.newDev()
	if err != nil {
		return err
	}
	// The ports are checked before anything is started.
	if err := d.checkPorts(ctx); err != nil {
		return err
	}
	stack, err := d.startServers(ctx)
	if err != nil {
		return err
	}
	runErr := d.run(ctx, stack, began)
	if stack != nil {
		d.say("stopping the servers")
		runErr = errors.Join(runErr, stack.Close())
	}
	return runErr
}

// Ports of the program in development, before the offset.
const (
	apiPort           = 5000
	apiMetricsPort    = 9090
	workerMetricsPort = 9091
)

// development is a stack on this machine.
type development struct {
	program
	vars   map[string]string // the environment and .env
	offset int
	dir    string
}

func (p program) newDev() (*development, error) {
	vars, err := withDotenv(env.ToMap(p.environ))
	if err != nil {
		return nil, err
	}
	environ, err := config.ReadSecrets(lines(vars))
	if err != nil {
		return nil, err
	}
	if err := exportSDKs(environ); err != nil {
		return nil, err
	}
	vars = env.ToMap(environ)
	if vars["APP_ENV"] == "production" {
		return nil, errors.New("watchparty dev is for development; APP_ENV says production")
	}
	offset, err := portOffset(vars)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(dataDir(offset))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the user postgres has to pass
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	return &development{program: p, vars: vars, offset: offset, dir: dir}, nil
}

func (d *development) say(format string, args ...any) {
	_, _ = fmt.Fprintf(d.stdout, format+"\n", args...)
}

// checkPorts checks the ports that no setting has changed.
func (d *development) checkPorts(ctx context.Context) error {
	if d.vars["HTTP_ADDR"] == "" {
		if err := d.checkPort(ctx, apiPort); err != nil {
			return err
		}
	}
	if d.vars["METRICS_ADDR"] != "" {
		return nil
	}
	return cmp.Or(d.checkPort(ctx, apiMetricsPort), d.checkPort(ctx, workerMetricsPort))
}

func (d *development) checkPort(ctx context.Context, port int) error {
	l, err := listen(ctx, d.address(port), "DEV_PORT_OFFSET")
	if err != nil {
		return fmt.Errorf("port %d is taken; stop what listens there, or start with another DEV_PORT_OFFSET, such as 100",
			port+d.offset)
	}
	return l.Close()
}

func (d *development) address(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port+d.offset))
}

// startServers starts the servers that the environment does not name. It returns nil if it names all.
func (d *development) startServers(ctx context.Context) (*devstack.Stack, error) {
	wanted := []struct {
		service devstack.Service
		names   []string
	}{
		{devstack.Postgres, []string{"DATABASE_URL", "DATABASE_HOST"}},
		{devstack.Redis, []string{"REDIS_URL", "REDIS_HOST"}},
		{devstack.Inbox, []string{"SMTP_HOST"}},
		{devstack.Temporal, []string{"TEMPORAL_ADDRESS"}},
	}
	var services []devstack.Service
	for _, w := range wanted {
		if !slices.ContainsFunc(w.names, func(name string) bool { return d.vars[name] != "" }) {
			services = append(services, w.service)
		}
	}
	if len(services) == 0 {
		return nil, nil
	}
	if d.vars["METRICS_ADDR"] == "" && devstack.PrometheusInstalled() {
		services = append(services, devstack.Prometheus)
	}
	return devstack.Start(ctx, devstack.Options{
		Dir: d.dir, Ports: devstack.DefaultPorts(d.offset), Services: services, Progress: d.say,
		Prometheus: map[string]string{
			"prometheus.yml": strings.NewReplacer("localhost:"+strconv.Itoa(apiMetricsPort), d.address(apiMetricsPort),
				"localhost:"+strconv.Itoa(workerMetricsPort), d.address(workerMetricsPort)).Replace(monitoring.Settings),
			"alerts.yml": string(monitoring.Alerts),
		},
	})
}

// run completes the settings, prepares the database, and runs the program until ctx ends or a part fails.
func (d *development) run(ctx context.Context, stack *devstack.Stack, began time.Time) error {
	environ, cfg, err := d.settle(stack)
	if err != nil {
		return err
	}
	if err := d.prepare(ctx, cfg, stack); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		api := cfg
		api.Metrics.Addr = cmp.Or(cfg.Metrics.Addr, d.address(apiMetricsPort))
		log, flush := newLogger(cfg, d.stderr)
		defer flush()
		return runAPI(ctx, api, environ, log.With("part", "api"))
	})
	g.Go(func() error {
		worker := cfg
		worker.Metrics.Addr = cmp.Or(cfg.Metrics.Addr, d.address(workerMetricsPort))
		log, flush := newLogger(cfg, d.stderr)
		defer flush()
		return runWorker(ctx, worker, environ, log.With("part", "worker"), job.ServableTaskQueues())
	})
	if stack != nil {
		g.Go(func() error { return stack.Wait(ctx) })
	}
	g.Go(func() error {
		if err := awaitReady(ctx, "http://"+cfg.HTTP.Addr); err != nil {
			return err
		}
		d.announce(cfg, stack, time.Since(began))
		return nil
	})
	return g.Wait()
}

// settle completes the settings, and stores them for the other commands.
func (d *development) settle(stack *devstack.Stack) ([]string, config.Config, error) {
	secret, err := d.secret()
	if err != nil {
		return nil, config.Config{}, err
	}
	files := url.URL{
		Scheme:   "file",
		Path:     filepath.ToSlash(filepath.Join(d.dir, "files")),
		RawQuery: "create_dir=true&no_tmp_dir=true&metadata=skip",
	}
	settled := map[string]string{
		"APP_ENV": "development", "LOG_FORMAT": "text", "LOG_LEVEL": "warn", "AUTH_SECRET": secret, "HTTP_DRAIN_DELAY": "0s",
		"HTTP_ADDR": d.address(apiPort), "BLOB_URL": files.String(),
		"WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8,::1/128", // for receivers on this machine
		"PUBLIC_URL":               "http://localhost:" + strconv.Itoa(apiPort+d.offset),
	}
	for name, value := range d.vars {
		if value != "" {
			settled[name] = value
		}
	}
	if stack != nil {
		maps.Copy(
			settled, addresses(stack),
		) // last, since .env may have parts of the address of a server that was started here
		if stack.Has(devstack.Inbox) && settled["REPORT_RECIPIENTS"] == "" {
			settled["REPORT_RECIPIENTS"] = demo.Admin
		}
	}
	environ := lines(settled)
	cfg, err := config.Load(environ)
	if err != nil {
		return nil, config.Config{}, err
	}
	return environ, cfg, d.keep(settled)
}

// keep stores the settings of this stack for the other commands. Their own environment has precedence.
func (d *development) keep(settled map[string]string) error {
	kept := map[string]string{}
	for _, s := range config.Settings() {
		if value, set := settled[s.Name]; set {
			kept[s.Name] = value
		}
	}
	delete(kept, "DEV_PORT_OFFSET")
	kept["METRICS_ADDR"] = "off" // a second process would need the same port
	return writeEnv(devFile(d.offset), kept)
}

// addresses returns the settings by which the program finds the stack. The stack's servers have no passwords; those in
// .env are for other servers.
func addresses(s *devstack.Stack) map[string]string {
	vars := map[string]string{}
	if s.Has(devstack.Postgres) {
		vars["DATABASE_URL"], vars["DATABASE_PASSWORD"] = s.DatabaseURL(), ""
	}
	if s.Has(devstack.Redis) {
		vars["REDIS_URL"], vars["REDIS_PASSWORD"] = s.RedisURL(), ""
	}
	if s.Has(devstack.Temporal) {
		vars["TEMPORAL_ADDRESS"], vars["TEMPORAL_UI_URL"] = s.TemporalAddress(), s.TemporalUIURL()
	}
	if s.Has(devstack.Inbox) {
		vars["SMTP_HOST"], vars["SMTP_PORT"], vars["SMTP_TLS"] = s.SMTPHost(), strconv.Itoa(s.SMTPPort()), "none"
		vars["SMTP_USERNAME"], vars["SMTP_PASSWORD"] = "", ""
	}
	return vars
}

// secret returns the stored signing key, or makes one. It is stored so that a restart signs nobody out.
func (d *development) secret() (string, error) {
	path := filepath.Join(d.dir, "auth_secret")
	kept, err := os.ReadFile(path) //nolint:gosec // in our own folder
	if err == nil && len(kept) >= config.MinSecretBytes {
		return string(kept), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the signing key: %w", err)
	}
	raw := make([]byte, 48)
	_, _ = rand.Read(raw) // never fails
	secret := base64.RawURLEncoding.EncodeToString(raw)
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		return "", fmt.Errorf("keep the signing key: %w", err)
	}
	return secret, nil
}

// prepare migrates the database and adds the demo data. In a database that the environment names, it creates accounts
// with a well-known password only if the environment also says that this is development.
func (d *development) prepare(ctx context.Context, cfg config.Config, stack *devstack.Stack) error {
	own := stack != nil && stack.Has(devstack.Postgres)
	if !own && d.vars["APP_ENV"] != "development" {
		return errors.New(
			"DATABASE_URL names a database that dev would fill with demo accounts; set APP_ENV=development if that is meant",
		)
	}
	s, err := openStore(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if _, err := migrations.Up(ctx, s.DB()); err != nil {
		return err
	}
	return demo.Fill(ctx, s, auth.NewPasswords(cfg.Auth.HashParallel, auth.OWASP), cfg.HTTP.PublicURL)
}

// awaitReady waits until the API is ready.
func awaitReady(ctx context.Context, base string) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/health/ready", nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusNoContent {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// announce prints where everything is.
func (d *development) announce(cfg config.Config, stack *devstack.Stack, took time.Duration) {
	d.say("\nWatchParty is ready (%.1f s).\n", took.Seconds())
	d.say("  watch        %s/watch", cfg.HTTP.PublicURL)
	d.say("  API          %s/api", cfg.HTTP.PublicURL)
	d.say("  API docs     %s/docs", cfg.HTTP.PublicURL)
	d.say("  Temporal UI  %s", cfg.Temporal.UIURL)
	if stack != nil && stack.Has(devstack.Inbox) {
		d.say("  mail inbox   %s", stack.InboxURL())
	}
	if cfg.Metrics.Addr == "" {
		d.say("  metrics      http://%s/metrics and http://%s/metrics", d.address(apiMetricsPort),
			d.address(workerMetricsPort))
	}
	if stack != nil && stack.Has(devstack.Prometheus) {
		d.say("  Prometheus   %s/alerts", stack.PrometheusURL())
	}
	d.say("  dashboard    deploy/monitoring/dashboard.json, for Grafana's import")
	d.say("  data         %s", d.dir)
	d.say("\n  demo accounts (password %s):\n    %s\n", demo.Password, strings.Join(demo.Accounts(), "\n    "))
	d.say("ctrl-C stops everything.")
}
