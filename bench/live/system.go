package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/migrations"
	"github.com/watchparty/watchparty/store"
)

// Nodes is how many API processes there are.
const Nodes = 2

// Options say what to measure.
type Options struct {
	Binary  string          // the program
	Stack   *devstack.Stack // with Postgres and Redis
	Environ []string        // what the program needs besides its settings
	// PublicURL is the address of the service as browsers have it; empty for none.
	PublicURL string
}

// System is two API processes on one database and one Redis.
type System struct {
	Store *store.Store
	Stack *devstack.Stack
	Nodes [Nodes]*Node

	tokens *auth.Tokens
	cfg    config.Config
}

// Node is one API process.
type Node struct {
	Addr    string // host and port of the API
	Metrics string // and of the metrics

	binary  string
	environ []string
	log     tail
	mu      sync.Mutex
	cmd     *exec.Cmd
	ended   chan struct{}
}

// startTime is how long a process may take until it answers.
const startTime = time.Minute

// Start starts the processes. Close ends them, and leaves the stack as it is.
func Start(ctx context.Context, o Options) (_ *System, err error) {
	s := &System{Stack: o.Stack}
	environ := append(slices.Clone(o.Environ),
		"APP_ENV=development", "LOG_LEVEL=warn", "HTTP_DRAIN_DELAY=0s", "RATE_LIMIT_ENABLED=false",
		"AUTH_SECRET="+strings.Repeat("measured", 8), "DATABASE_URL="+o.Stack.DatabaseURL(), "REDIS_URL="+o.Stack.RedisURL(),
		"TEMPORAL_ADDRESS=127.0.0.1:1", "SMTP_HOST=127.0.0.1", "BLOB_URL=mem://",
	)
	if o.PublicURL != "" {
		environ = append(environ, "PUBLIC_URL="+o.PublicURL)
	}
	if s.cfg, err = config.Load(environ); err != nil {
		return nil, err
	}
	s.tokens = auth.NewTokens(s.cfg.Auth.Secret, s.cfg.Auth.AccessTTL)
	if s.Store, err = store.Open(s.cfg.Database, auth.NewDigests(s.cfg.Auth.Secret)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if _, err := migrations.Up(ctx, s.Store.DB()); err != nil {
		return nil, err
	}
	for i := range s.Nodes {
		addr, err := devstack.FreeAddress(ctx)
		if err != nil {
			return nil, err
		}
		metrics, err := devstack.FreeAddress(ctx)
		if err != nil {
			return nil, err
		}
		s.Nodes[i] = &Node{Addr: addr, Metrics: metrics, binary: o.Binary,
			environ: append(slices.Clone(environ), "HTTP_ADDR="+addr, "METRICS_ADDR="+metrics)}
	}
	var starting errgroup.Group
	for _, n := range s.Nodes {
		starting.Go(func() error { return n.Start(ctx) })
	}
	return s, starting.Wait()
}

// Close kills the processes.
func (s *System) Close() {
	for _, n := range s.Nodes {
		if n != nil {
			n.Kill()
		}
	}
	_ = s.Store.Close()
}

// API is the address of the node's API.
func (n *Node) API() string { return "http://" + n.Addr + "/api" }

// Start starts the process, and returns when it answers.
func (n *Node) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	cmd := exec.Command(n.binary, "api")
	cmd.Env, cmd.Stdout, cmd.Stderr = n.environ, &n.log, &n.log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the API: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	n.mu.Lock()
	n.cmd, n.ended = cmd, ended
	n.mu.Unlock()
	for {
		if answers(ctx, n.API()+"/health/live") {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ended:
			return fmt.Errorf("the API has ended: %s", n.log.String())
		case <-ctx.Done():
			n.Kill()
			return fmt.Errorf("the API does not answer: %s", n.log.String())
		}
	}
}

func answers(ctx context.Context, address string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode < http.StatusMultipleChoices
}

// Kill ends the process at once, as a crash would.
func (n *Node) Kill() {
	n.mu.Lock()
	cmd, ended := n.cmd, n.ended
	n.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill()
	<-ended
}

// Process is the ID of the node's process.
func (n *Node) Process() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cmd.Process.Pid
}

// tail keeps the end of what a process prints.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.buf.Len() > 1<<16 {
		t.buf.Reset()
	}
	return t.buf.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// Person is an account with a sign-in.
type Person struct {
	ID, Name, Token string
}

// People makes accounts, whose names begin with a prefix.
func (s *System) People(ctx context.Context, prefix string, count int) ([]Person, error) {
	people := make([]Person, count)
	var making errgroup.Group
	making.SetLimit(4)
	for i := range people {
		making.Go(func() (err error) {
			people[i], err = s.person(ctx, fmt.Sprintf("%s%d", prefix, i))
			return err
		})
	}
	return people, making.Wait()
}

func (s *System) person(ctx context.Context, name string) (Person, error) {
	u, err := s.Store.CreateUser(ctx, watchparty.Registration{
		Username: name, Email: name + "@example.org", DisplayName: name,
	}, "none")
	if err != nil {
		return Person{}, err
	}
	in, err := s.Store.LogIn(ctx, u.ID, "none", store.NewSession{TokenHash: []byte(name), TTL: 24 * time.Hour})
	if err != nil {
		return Person{}, err
	}
	id := auth.Identity{UserID: u.ID, Username: name, SessionID: in.SessionID}
	token, err := s.tokens.Access(id, time.Now(), 24*time.Hour)
	return Person{ID: u.ID, Name: name, Token: token}, err
}

// OpenRoom opens a room with these people, in which everybody controls playback. The first person is the host.
func (s *System) OpenRoom(ctx context.Context, policy string, people ...Person) (id string, err error) {
	room, err := s.Store.CreateRoom(ctx, people[0].ID, watchparty.NewRoom{
		Name: "Measured", Visibility: watchparty.Public, Capacity: watchparty.MaxCapacity,
	}, store.IdempotencyKey{})
	if err != nil {
		return "", err
	}
	_, err = s.Store.DB().NewRaw("UPDATE rooms SET control = 'everyone', wait_policy = ? WHERE id = ?", policy, room.ID).
		Exec(ctx)
	if err != nil {
		return "", err
	}
	return room.ID, s.Join(ctx, room.ID, people[1:]...)
}

// Join makes people participants of a room.
func (s *System) Join(ctx context.Context, room string, people ...Person) error {
	var joining errgroup.Group
	joining.SetLimit(4)
	for _, p := range people {
		joining.Go(func() error {
			_, err := s.Store.JoinRoom(ctx, room, p.ID)
			return err
		})
	}
	return joining.Wait()
}

// Call asks the node's REST, without an answer's content.
func (n *Node) Call(ctx context.Context, method, path string, p Person) error {
	r, err := http.NewRequestWithContext(ctx, method, n.API()+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+p.Token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %d: %w", method, path, response.StatusCode, errors.New(string(body)))
	}
	return nil
}
