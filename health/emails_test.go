package health

import (
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/mail/smtptest"
	"github.com/watchparty/watchparty/store"
)

func TestEmails(t *testing.T) {
	t.Parallel()
	s, err := store.Open(config.Database{URL: stacktest.MigratedURL(t), MaxConns: 4, StatementTimeout: time.Minute},
		auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	senderFrom := func(t *testing.T, from, address string, timeout time.Duration) *mail.Sender {
		t.Helper()
		host, port, err := net.SplitHostPort(address)
		require.NoError(t, err)
		number, err := strconv.Atoi(port)
		require.NoError(t, err)
		sender, err := mail.New(config.Email{
			Host: host, Port: number, TLS: "none", From: from, Timeout: timeout,
		})
		require.NoError(t, err)
		return sender
	}
	sender := func(t *testing.T, address string, timeout time.Duration) *mail.Sender {
		return senderFrom(t, "WatchParty <no-reply@party.example>", address, timeout)
	}
	check := func(t *testing.T, address string) error {
		t.Helper()
		return (&EmailCheck{Read: s.Workload, Probe: sender(t, address, 10*time.Second).Probe}).Run(t.Context())
	}
	takes := smtptest.Serve(t, smtptest.Script{})

	t.Run("the server takes emails", func(t *testing.T) {
		require.NoError(t, check(t, addressOf(takes)))
		require.Contains(t, takes.Commands(), "MAIL FROM:<no-reply@party.example> BODY=8BITMIME")
		require.Empty(t, takes.Contents(), "a look sends nothing")
	})
	t.Run("the server refuses this service", func(t *testing.T) {
		refuses := smtptest.Serve(
			t, smtptest.Script{Answers: map[string]string{"MAIL": "550 5.7.1 your address 192.0.2.7 is listed"}},
		)
		err := check(t, addressOf(refuses))
		require.Equal(t, "refusing this service with 550 at MAIL", whatIsWrong(t, err))
		require.ErrorContains(t, err, "is listed", "the log has the server's words")
	})
	t.Run("the server cannot take the sender", func(t *testing.T) {
		probe := senderFrom(t, "grüße@party.example", addressOf(takes), time.Minute).Probe
		err := (&EmailCheck{Read: s.Workload, Probe: probe}).Run(t.Context())
		require.Equal(t, "not able to take the sender MAIL_FROM", whatIsWrong(t, err))
	})
	t.Run("the server is down, or hangs", func(t *testing.T) {
		network := badnet.New(t, addressOf(takes))
		network.Set(badnet.Cut)
		require.Equal(t, unreachable, whatIsWrong(t, check(t, network.Addr())))
		network.Set(badnet.Swallow)
		err := (&EmailCheck{Read: s.Workload, Probe: sender(t, network.Addr(), 100*time.Millisecond).Probe}).Run(t.Context())
		require.Equal(t, unreachable, whatIsWrong(t, err))
	})
	t.Run("paused, and late", func(t *testing.T) {
		check := func(work store.Workload) error {
			return (&EmailCheck{
				Read:  func(context.Context) (store.Workload, error) { return work, nil },
				Probe: func(context.Context) error { return nil },
			}).Run(t.Context())
		}
		waiting := func(age time.Duration) store.Workload {
			return store.Workload{
				Emails: map[watchparty.EmailKind]store.Backlog{watchparty.EmailReset: {Waiting: 1, Oldest: age}},
			}
		}
		require.NoError(t, check(waiting(time.Minute)))
		require.Equal(t, "late", whatIsWrong(t, check(waiting(time.Hour))))
		require.Equal(t, Paused{}, check(store.Workload{EmailsPaused: true}))
	})
	t.Run("the last email stays known while the database or the server is down", func(t *testing.T) {
		sent := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
		reads, away := 0, errors.New("away")
		c := &EmailCheck{
			Read: func(context.Context) (store.Workload, error) {
				if reads++; reads > 1 {
					return store.Workload{}, away
				}
				return store.Workload{LastEmail: sent}, nil
			},
			Probe: func(context.Context) error { return away },
		}
		require.Zero(t, c.LastSuccess())
		for range 2 {
			require.ErrorIs(t, c.Run(t.Context()), away)
			require.Equal(t, sent, c.LastSuccess())
		}
	})
}

func addressOf(s *smtptest.Server) string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }
