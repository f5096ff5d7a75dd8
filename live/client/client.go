// Package client is a live connection from the client's side, for bots, tests and measurements.
package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"github.com/watchparty/watchparty/live/wire"
)

// Options say how to connect.
type Options struct {
	API    string // the address of the API, with /api
	RoomID string
	Token  string
	Resume string // the ID of the connection that this one replaces; empty for none
	Origin string // as browsers send it; empty for none
	HTTP   *http.Client
	// Buffer is the number of messages that may wait for the reader of Messages; 256 unless set. While it is full, nothing
	// is read from the socket.
	Buffer int
}

// Client is a connection that has signed in. Its methods are safe for concurrent use.
type Client struct {
	Welcome wire.Welcome

	socket   *websocket.Conn
	messages chan wire.ServerMessage
	cancel   context.CancelFunc
	ended    chan struct{}
	err      error
	once     sync.Once
}

// Open opens a connection that has not signed in.
func Open(ctx context.Context, o Options) (*websocket.Conn, error) {
	address := "ws" + strings.TrimPrefix(o.API, "http") + "/rooms/" + o.RoomID + "/live"
	header := http.Header{}
	if o.Origin != "" {
		header.Set("Origin", o.Origin)
	}
	socket, response, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		Subprotocols: []string{wire.Subprotocol}, HTTPHeader: header, HTTPClient: o.HTTP,
	})
	if err != nil {
		if response != nil && response.Body != nil {
			_ = response.Body.Close()
		}
		return nil, fmt.Errorf("client: open: %w", err)
	}
	socket.SetReadLimit(1 << 20) // the list of a full room
	return socket, nil
}

// Connect opens a connection and signs in.
func Connect(ctx context.Context, o Options) (*Client, error) {
	socket, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	c := &Client{socket: socket, messages: make(chan wire.ServerMessage, max(o.Buffer, 1)), ended: make(chan struct{})}
	if o.Buffer == 0 {
		c.messages = make(chan wire.ServerMessage, 256)
	}
	if err := c.signIn(ctx, o); err != nil {
		_ = socket.CloseNow()
		return nil, err
	}
	reading, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	go c.read(reading)
	return c, nil
}

func (c *Client) signIn(ctx context.Context, o Options) error {
	hello := &wire.Hello{Token: o.Token}
	if o.Resume != "" {
		hello.Resume = &o.Resume
	}
	if err := c.Send(ctx, hello); err != nil {
		return err
	}
	m, err := c.next(ctx)
	if err != nil {
		return err
	}
	welcome, ok := m.(*wire.Welcome)
	if !ok {
		return fmt.Errorf("client: the first message is %s", m.Type())
	}
	c.Welcome = *welcome
	return nil
}

// next reads a message that this client knows.
func (c *Client) next(ctx context.Context) (wire.ServerMessage, error) {
	for {
		_, frame, err := c.socket.Read(ctx)
		if err != nil {
			return nil, fmt.Errorf("client: read: %w", err)
		}
		m, err := wire.DecodeServer(frame)
		if errors.Is(err, wire.ErrUnknown) {
			continue // of a newer server
		}
		return m, err
	}
}

// read ends when the connection does.
func (c *Client) read(ctx context.Context) {
	defer close(c.ended)
	defer close(c.messages)
	defer c.socket.CloseNow() //nolint:errcheck // it has ended
	for {
		m, err := c.next(ctx)
		if err != nil {
			c.err = err
			return
		}
		select {
		case c.messages <- m:
		case <-ctx.Done():
			c.err = ctx.Err()
			return
		}
	}
}

// Messages returns the messages after the welcome. The channel is closed when the connection ends.
func (c *Client) Messages() <-chan wire.ServerMessage { return c.messages }

// Send sends a message.
func (c *Client) Send(ctx context.Context, m wire.ClientMessage) error {
	frame, err := wire.Encode(m)
	if err != nil {
		return err
	}
	return c.SendFrame(ctx, frame)
}

// SendFrame sends a frame as it is.
func (c *Client) SendFrame(ctx context.Context, frame []byte) error {
	if err := c.socket.Write(ctx, websocket.MessageText, frame); err != nil {
		return fmt.Errorf("client: write: %w", err)
	}
	return nil
}

// Ended is closed when the connection has ended.
func (c *Client) Ended() <-chan struct{} { return c.ended }

// Code returns why the server has closed the connection, after Ended; false if the connection was lost without a close
// frame.
func (c *Client) Code() (code wire.Code, reason string, ok bool) {
	<-c.ended
	var closed websocket.CloseError
	if !errors.As(c.err, &closed) {
		return 0, "", false
	}
	return wire.Code(closed.Code), closed.Reason, true //nolint:gosec // codes have 16 bits
}

// Close ends the connection and waits for its end.
func (c *Client) Close() {
	c.once.Do(func() {
		c.cancel()
		_ = c.socket.CloseNow()
	})
	<-c.ended
}
