package cached

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/devstack"
)

// Names of the contenders.
const (
	oursRooms     = "WatchParty, rooms"
	oursMessages  = "WatchParty, messages"
	oursSignedIn  = "WatchParty, messages, signed in"
	floorRooms    = "net/http, rooms"
	floorMessages = "net/http, messages"
	likeRooms     = "net/http, rooms, with all headers"
	likeMessages  = "net/http, messages, with all headers"
	nginxRooms    = "nginx before WatchParty, rooms"
	expressRooms  = "Express and ioredis, rooms"
	fastifyRooms  = "Fastify and ioredis, rooms"
)

// peers compares hits with those of others.
func (m *Measurement) peers(ctx context.Context) error {
	in, err := m.install(ctx, "peers", 10_000)
	if err != nil {
		return err
	}
	defer in.close()
	ours, err := m.startNode(ctx, in, program)
	if err != nil {
		return err
	}
	defer ours.stop()
	contenders := []contender{
		{name: oursRooms, target: target{url: ours.url + pathRooms}},
		{name: oursMessages, target: target{url: ours.url + in.messages()}},
		{name: oursSignedIn, target: target{url: ours.url + in.messages(), headers: []string{in.signedIn()}}},
	}
	for i := range contenders {
		contenders[i].processes = []int{ours.id()}
	}
	answers := map[string]floorAnswer{}
	for i, path := range []string{"/rooms", "/messages"} {
		if answers[path], err = hit(ctx, contenders[i].target); err != nil {
			return err
		}
	}
	for _, begin := range []func(context.Context, *node, map[string]floorAnswer) ([]contender, *process, error){
		m.startFloor, m.startNginx, m.startExpress, m.startFastify,
	} {
		more, p, err := begin(ctx, ours, answers)
		if err != nil {
			return err
		}
		defer p.stop()
		for _, c := range more {
			c.processes = append(c.processes, p.id())
			contenders = append(contenders, c)
		}
	}
	for i := range contenders {
		contenders[i].connections = connectionsEach
		if _, err := hitOrFetch(ctx, contenders[i]); err != nil {
			return err
		}
	}
	rounds, turn := m.often(5, 4*time.Second)
	found, err := m.takeTurns(ctx, rounds, turn, contenders)
	if err != nil {
		return err
	}
	m.comparePeaks(found)
	if err := m.profile(ctx, ours, contenders); err != nil {
		return err
	}
	if err := m.compareLatencies(ctx, contenders, found); err != nil {
		return err
	}
	return m.sayVersions(ctx)
}

func hitOrFetch(ctx context.Context, c contender) (floorAnswer, error) {
	if strings.HasPrefix(c.name, "WatchParty") {
		return hit(ctx, c.target)
	}
	return fetch(ctx, c.target)
}

func (m *Measurement) comparePeaks(found samples) {
	m.AtLeast("rooms: peak, of net/http with the same body", 0.75, found.rates(oursRooms, floorRooms), "")
	m.AtLeast("messages: the same", 0.65, found.rates(oursMessages, floorMessages), "")
	m.AtLeast("messages, signed in: the same", 0.55, found.rates(oursSignedIn, floorMessages), "")
	m.Figure("rooms: peak, of net/http with the same headers, too", found.rates(oursRooms, likeRooms), "")
	m.Figure("messages: the same", found.rates(oursMessages, likeMessages), "")
	m.Figure("messages, signed in: the same", found.rates(oursSignedIn, likeMessages), "")
	m.AtLeast("rooms: peak, of Express'", 8, found.rates(oursRooms, expressRooms), " ×")
	m.AtLeast("rooms: peak, of Fastify's", 3, found.rates(oursRooms, fastifyRooms), " ×")
	m.AtLeast("rooms: peak, of nginx'", 0.8, found.rates(oursRooms, nginxRooms), "")
}

// maxMedian is what the median at half of the peak may be, in milliseconds.
const maxMedian = 2

// compareLatencies asks each contender at half of its peak, at a constant rate.
func (m *Measurement) compareLatencies(ctx context.Context, contenders []contender, found samples) error {
	var table strings.Builder
	table.WriteString("| | answers/s | µs of processor | of wrk's | p50 at half, ms | p99 at half, ms | p99/p50 |\n" +
		"|---|---:|---:|---:|---:|---:|---:|\n")
	rounds, turn := m.often(3, 5*time.Second)
	took := map[string][]outcome{}
	for range rounds {
		for _, c := range contenders {
			l, err := newLoad(found.rate(c.name)/2, connectionsEach, turn, c.target)
			if err != nil {
				return err
			}
			o, err := l.run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			took[c.name] = append(took[c.name], o)
		}
	}
	for _, c := range contenders {
		p50 := median(took[c.name], func(o outcome) float64 { return o.p50.Seconds() * 1e3 })
		p99 := median(took[c.name], func(o outcome) float64 { return o.p99.Seconds() * 1e3 })
		ratio := median(took[c.name], func(o outcome) float64 { return float64(o.p99) / float64(o.p50) })
		fmt.Fprintf(&table, "| %s | %.0f | %.1f | %.1f | %.3f | %.3f | %.1f |\n",
			c.name, found.rate(c.name), found.processor(c.name), found.load(c.name), p50, p99, ratio)
		switch c.name {
		case oursRooms, oursMessages, oursSignedIn:
			what := strings.TrimPrefix(c.name, "WatchParty, ")
			m.AtMost(what+": p50 at half of peak", maxMedian, p50, " ms") // more is a queue, which makes the ratio small
			m.AtMost(what+": p99 at half of peak, of p50", 10, ratio, " ×")
		}
	}
	m.Text(table.String())
	return nil
}

// profile writes where the program spends its time with each of its targets, if a folder for that is named.
func (m *Measurement) profile(ctx context.Context, ours *node, contenders []contender) error {
	if m.Profiles == "" {
		return nil
	}
	const length = 8 * time.Second
	for _, c := range contenders {
		if !slices.Equal(c.processes, []int{ours.id()}) {
			continue
		}
		var loading errgroup.Group
		loading.Go(func() error {
			_, err := wrk(ctx, c.target, c.connections, length, c.processes...)
			return err
		})
		url := fmt.Sprintf(
			"%s/debug/pprof/profile?seconds=%.0f", strings.TrimSuffix(ours.metrics, "/metrics"), length.Seconds()-1,
		)
		answer, err := fetch(ctx, target{url: url})
		if err := errors.Join(err, loading.Wait()); err != nil {
			return err
		}
		name := strings.ReplaceAll(strings.ReplaceAll(c.name, ", ", "-"), " ", "-") + ".pprof"
		if err := os.WriteFile(filepath.Join(m.Profiles, name), answer.Body, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// startFloor starts a server with nothing but net/http, which has the same answers.
func (m *Measurement) startFloor(
	ctx context.Context, _ *node, answers map[string]floorAnswer,
) ([]contender, *process, error) {
	paths := map[string]floorAnswer{}
	for path, answer := range answers {
		paths[path] = floorAnswer{Body: answer.Body, Header: http.Header{"Content-Type": answer.Header["Content-Type"]}}
		paths[path+"/like"] = answer
	}
	n, err := m.startFloorOf(ctx, paths)
	if err != nil {
		return nil, nil, err
	}
	return []contender{
		{name: floorRooms, target: target{url: n.url + "/rooms"}},
		{name: floorMessages, target: target{url: n.url + "/messages"}},
		{name: likeRooms, target: target{url: n.url + "/rooms/like"}},
		{name: likeMessages, target: target{url: n.url + "/messages/like"}},
	}, n.process, nil
}

// startFloorOf starts a server with nothing but net/http, which has answers by path.
func (m *Measurement) startFloorOf(ctx context.Context, paths map[string]floorAnswer) (*node, error) {
	addr, err := devstack.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	for _, answer := range paths {
		answer.Header.Del("Date") // which net/http adds
	}
	content, err := json.Marshal(floorAnswers{Address: addr, Paths: paths})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(m.scratch, "floor.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	n := &node{url: "http://" + addr}
	n.process, err = m.start(ctx, n.url, append(os.Environ(), FloorVariable+"="+file), self)
	return n, err
}

// nginxSettings are those that matter for speed, and a cache that is a second old at most: nginx does not hear of
// changes.
var nginxSettings = template.Must(template.New("").Parse(`
daemon off; worker_processes 1; pid {{.Dir}}/nginx.pid; error_log /dev/null; {{if .Root}}user root;{{end}}
events { worker_connections 4096; }
http {
	access_log /dev/null combined buffer=32k;
	sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=1000;
	client_body_temp_path {{.Dir}}/body; proxy_temp_path {{.Dir}}/proxy; fastcgi_temp_path {{.Dir}}/fastcgi;
	uwsgi_temp_path {{.Dir}}/uwsgi; scgi_temp_path {{.Dir}}/scgi;
	proxy_cache_path {{.Dir}}/cache levels=1:2 keys_zone=api:10m max_size=100m inactive=10m use_temp_path=off;
	upstream api { server {{.API}}; keepalive 32; }
	server {
		listen {{.Address}};
		location / {
			proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection "";
			proxy_cache api; proxy_cache_valid 200 1s; proxy_ignore_headers Cache-Control Vary;
			proxy_cache_lock on; proxy_cache_use_stale updating; proxy_cache_background_update on;
		}
	}
}
`))

// startNginx starts what an operator would put before the API instead of its cache.
func (m *Measurement) startNginx(
	ctx context.Context, ours *node, _ map[string]floorAnswer,
) ([]contender, *process, error) {
	addr, err := devstack.FreeAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	var settings strings.Builder
	err = nginxSettings.Execute(&settings, map[string]any{
		"Dir": m.scratch, "Root": os.Getuid() == 0, "API": strings.TrimPrefix(ours.url, "http://"), "Address": addr,
	})
	if err != nil {
		return nil, nil, err
	}
	file := filepath.Join(m.scratch, "nginx.conf")
	if err := os.WriteFile(file, []byte(settings.String()), 0o600); err != nil {
		return nil, nil, err
	}
	p, err := m.start(ctx, "http://"+addr+pathRooms, os.Environ(), nginxCommand(), "-c", file, "-p", m.scratch)
	return []contender{
		{name: nginxRooms, target: target{url: "http://" + addr + pathRooms}, processes: []int{ours.id()}},
	}, p, err
}

// nginxCommand is where Debian has it, which is not in everybody's PATH.
func nginxCommand() string {
	if path, err := exec.LookPath("nginx"); err == nil {
		return path
	}
	return "/usr/sbin/nginx"
}

func (m *Measurement) startExpress(
	ctx context.Context, _ *node, answers map[string]floorAnswer,
) ([]contender, *process, error) {
	// What a hit adds to the entry is not in it.
	var answer map[string]any
	if err := json.Unmarshal(answers["/rooms"].Body, &answer); err != nil {
		return nil, nil, err
	}
	delete(answer, "_cached")
	entry, err := json.Marshal(answer)
	if err != nil {
		return nil, nil, err
	}
	return m.startPeer(ctx, "express", expressRooms, entry)
}

func (m *Measurement) startFastify(
	ctx context.Context, _ *node, answers map[string]floorAnswer,
) ([]contender, *process, error) {
	return m.startPeer(ctx, "fastify", fastifyRooms, answers["/rooms"].Body)
}

// peersFolder has the servers in Node, and their packages.
const peersFolder = "bench/cached/peers"

// startPeer starts a server in Node, with an entry in its cache.
func (m *Measurement) startPeer(ctx context.Context, peer, name string, entry []byte) ([]contender, *process, error) {
	options, err := redis.ParseURL(m.stack.RedisURL())
	if err != nil {
		return nil, nil, err
	}
	client := redis.NewClient(options)
	defer client.Close() //nolint:errcheck // it is done
	if err := client.Set(ctx, "peer:"+peer, entry, 0).Err(); err != nil {
		return nil, nil, err
	}
	port, err := devstack.FreePort(ctx)
	if err != nil {
		return nil, nil, err
	}
	t := target{url: fmt.Sprintf("http://127.0.0.1:%d%s", port, pathRooms)}
	environ := append(os.Environ(), "NODE_ENV=production", fmt.Sprint("PORT=", port), "KEY=peer:"+peer,
		"REDIS_URL="+m.stack.RedisURL())
	p, err := m.start(ctx, t.url, environ, "node", filepath.Join(peersFolder, peer+".js"))
	if err != nil {
		return nil, nil, err
	}
	return []contender{{name: name, target: t}}, p, nil
}

// sayVersions says which versions took part.
func (m *Measurement) sayVersions(ctx context.Context) error {
	var said []string
	for _, c := range [][]string{
		{nginxCommand(), "-v"},
		{"node", "--version"},
		{"redis-server", "--version"},
		{"node", "-p", `['express', 'fastify', 'ioredis'].map(p => p + ' ' + require('./` + peersFolder +
			`/node_modules/' + p + '/package.json').version).join(', ')`},
	} {
		out, err := command(ctx, c[0], c[1:]...)
		if err != nil {
			return err
		}
		said = append(said, strings.TrimSpace(string(out)))
	}
	out, _ := exec.CommandContext(ctx, "wrk", "--version").CombinedOutput() // its exit code is 1
	line, _, _ := strings.Cut(string(out), " Copyright")
	m.Text("Versions: " + strings.TrimSpace(line) + "; " + tidyVersions(said))
	return nil
}

// tidyVersions joins what commands say of themselves.
func tidyVersions(said []string) string {
	text := strings.Join(said, "; ")
	text = strings.NewReplacer("nginx version: nginx/", "nginx ", "Redis server v=", "Redis ", "; v", "; Node ").
		Replace(text)
	if before, after, found := strings.Cut(text, " sha="); found {
		_, rest, _ := strings.Cut(after, "; ")
		text = before + "; " + rest
	}
	return text
}
