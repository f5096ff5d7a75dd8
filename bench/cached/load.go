package cached

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// patience is the delay after which a request that is due is given up without having been sent.
const patience = time.Second

// load sends requests at a constant rate, over a number of connections. A request that is due takes the next free
// connection. vegeta cannot be used: it takes several times the processor time of the server. Beside the server on two
// cores it cannot offer half of the server's peak.
type load struct {
	rate        float64
	connections int
	length      time.Duration
	requests    [][]byte // whole, one after the other
	address     string
}

// outcome is the result of a load.
type outcome struct {
	offered  float64 // a second
	answered float64 // a second, with a 200
	refused  float64 // a second, with another status
	p50, p99 time.Duration
}

// newLoad makes a load of requests for targets of one server.
func newLoad(rate float64, connections int, length time.Duration, targets ...target) (load, error) {
	l := load{rate: rate, connections: connections, length: length}
	for _, t := range targets {
		u, err := url.Parse(t.url)
		if err != nil {
			return load{}, err
		}
		l.address = u.Host
		request := "GET " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\n"
		for _, header := range t.headers {
			request += header + "\r\n"
		}
		l.requests = append(l.requests, []byte(request+"\r\n"))
	}
	return l, nil
}

// run sends the load, and returns when all requests are answered.
func (l load) run(ctx context.Context) (outcome, error) {
	sockets := make([]net.Conn, l.connections)
	var dialer net.Dialer
	for i := range sockets {
		socket, err := dialer.DialContext(ctx, "tcp", l.address)
		if err != nil {
			return outcome{}, err
		}
		defer socket.Close() //nolint:errcheck // it was read
		sockets[i] = socket
	}
	stop := context.AfterFunc(ctx, func() {
		for _, socket := range sockets {
			_ = socket.Close()
		}
	})
	defer stop()
	var (
		asking  errgroup.Group
		next    atomic.Int64
		mu      sync.Mutex
		took    []time.Duration
		refused int
	)
	began := time.Now()
	for _, socket := range sockets {
		asking.Go(func() error {
			mine, no, err := l.ask(socket, began, &next)
			mu.Lock()
			defer mu.Unlock()
			took, refused = append(took, mine...), refused+no
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return outcome{}, errors.Join(ctx.Err(), err)
	}
	length := max(time.Since(began), l.length).Seconds()
	slices.Sort(took)
	o := outcome{offered: l.rate, answered: float64(len(took)) / length, refused: float64(refused) / length}
	if len(took) > 0 {
		o.p50, o.p99 = took[len(took)/2], took[len(took)*99/100]
	}
	return o, nil
}

// ask sends the requests that are due, one after the other, until the load ends. It returns the time from the due time
// of each request to its answer.
func (l load) ask(socket net.Conn, began time.Time, next *atomic.Int64) (took []time.Duration, refused int, err error) {
	answers := bufio.NewReaderSize(socket, 16<<10)
	for {
		n := next.Add(1) - 1
		due := time.Duration(float64(n) / l.rate * float64(time.Second))
		if due >= l.length {
			return took, refused, nil
		}
		wait := due - time.Since(began)
		if wait < -patience { // gave up
			continue
		}
		time.Sleep(wait)
		if _, err := socket.Write(l.requests[int(n)%len(l.requests)]); err != nil {
			return nil, 0, err
		}
		status, err := readAnswer(answers)
		switch {
		case err != nil:
			return nil, 0, err
		case status == 200:
			took = append(took, time.Since(began)-due)
		default:
			refused++
		}
	}
}

// readAnswer reads an answer with a Content-Length, and returns its status.
func readAnswer(r *bufio.Reader) (status int, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < len("HTTP/1.1 200") {
		return 0, fmt.Errorf("an answer begins with %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length := 0
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return 0, err
		}
		if len(line) <= len("\r\n") {
			_, err := r.Discard(length)
			return status, err
		}
		const name = "content-length:"
		if len(line) > len(name) && line[0]|0x20 == 'c' && strings.EqualFold(string(line[:len(name)]), name) {
			if length, err = strconv.Atoi(strings.TrimSpace(string(line[len(name):]))); err != nil {
				return 0, err
			}
		}
	}
}
