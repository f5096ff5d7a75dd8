package devstack

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// host is where everything listens: nothing of the stack can be reached from another machine.
const host = "127.0.0.1"

// Ports are the ports of the services. 0 picks a free port; for TemporalUI in an ephemeral stack it means no UI.
type Ports struct {
	Postgres   int
	Redis      int
	Temporal   int
	TemporalUI int
	SMTP       int
	Inbox      int
	Prometheus int
}

// DefaultPorts are the documented ports of development, each shifted by offset.
func DefaultPorts(offset int) Ports {
	return Ports{
		Postgres:   15432 + offset,
		Redis:      16379 + offset,
		Temporal:   7233 + offset,
		TemporalUI: 8233 + offset,
		SMTP:       1025 + offset,
		Inbox:      8025 + offset,
		Prometheus: 9092 + offset,
	}
}

// use is a port and its purpose.
type use struct {
	port    *int
	service Service
	purpose string
}

func (p *Ports) uses(services []Service, temporalUI bool) []use {
	all := []use{
		{&p.Postgres, Postgres, "Postgres"},
		{&p.Redis, Redis, "Redis"},
		{&p.Temporal, Temporal, "Temporal"},
		{&p.SMTP, Inbox, "the inbox's SMTP"},
		{&p.Inbox, Inbox, "the inbox's pages"},
		{&p.Prometheus, Prometheus, "Prometheus"},
	}
	if temporalUI {
		all = append(all, use{&p.TemporalUI, Temporal, "Temporal's UI"})
	}
	return slices.DeleteFunc(all, func(u use) bool { return !slices.Contains(services, u.service) })
}

// checkFree reports all ports that are in use, in one line.
func checkFree(ctx context.Context, uses []use) error {
	var taken []string
	for _, u := range uses {
		if *u.port == 0 {
			continue
		}
		if *u.port < 0 || *u.port > 65535 {
			return fmt.Errorf("port %d for %s does not exist: choose another DEV_PORT_OFFSET", *u.port, u.purpose)
		}
		if !isFree(ctx, *u.port) {
			taken = append(taken, fmt.Sprintf("port %d for %s", *u.port, u.purpose))
		}
	}
	if len(taken) == 0 {
		return nil
	}
	return fmt.Errorf("already taken by another program: %s; DEV_PORT_OFFSET=100 (or another number) shifts all ports",
		strings.Join(taken, ", "))
}

func isFree(ctx context.Context, port int) bool {
	// macOS lets a second program bind 127.0.0.1 beside one that listens on all addresses, so that listening alone proves
	// nothing.
	if answers(ctx, port) {
		return false
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

func answers(ctx context.Context, port int) bool {
	dialer := net.Dialer{Timeout: time.Second}
	c, err := dialer.DialContext(ctx, "tcp", address(port))
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// Picked ports are below those of outgoing connections (32768 on Linux, 49152 on macOS): a connection from anywhere
// could take one of those while the server that listens on it restarts.
const (
	firstPicked = 20000
	lastPicked  = 32000
)

func pickFree(ctx context.Context, uses []use) error {
	for _, u := range uses {
		if *u.port != 0 {
			continue
		}
		port, err := FreePort(ctx)
		if err != nil {
			return err
		}
		*u.port = port
	}
	return nil
}

// FreePort is a TCP port on which nothing listens, and which no other call of FreePort returns, in this process or
// another, as long as this process lives.
func FreePort(ctx context.Context) (int, error) {
	for range 1000 {
		port := firstPicked + rand.IntN(lastPicked-firstPicked)
		// It is not tried by listening: a process that is being forked just then would hold the port a moment longer.
		if !answers(ctx, port) && reserve(ctx, port) {
			return port, nil
		}
	}
	return 0, errors.New("no free port found")
}

// FreeAddress is the host:port of a FreePort.
func FreeAddress(ctx context.Context) (string, error) {
	port, err := FreePort(ctx)
	return address(port), err
}

// reserve binds the UDP port of the same number for good: nobody else needs it, and the system frees it with the
// process.
func reserve(ctx context.Context, port int) bool {
	held, err := new(net.ListenConfig).ListenPacket(ctx, "udp", address(port))
	if err != nil {
		return false
	}
	reserved.Store(port, held) // keeps the collector from closing it
	return true
}

var reserved sync.Map // of net.PacketConn by port

func address(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
