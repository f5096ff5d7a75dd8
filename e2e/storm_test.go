package e2e

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/mail/smtptest"
)

// A storm at its full size: make soak.
var (
	stormUsers    = flag.Int("storm.users", 60, "registrations in TestMailStorm")
	stormKills    = flag.Int("storm.kills", 1, "how often the worker is killed in it")
	stormRestarts = flag.Int("storm.restarts", 1, "how often Temporal is restarted in it")
	stormPatience = flag.Duration("storm.patience", 4*time.Minute, "how long it may take")
)

// faultySMTP is an SMTP server that answers each connection with a fault, or without one half of the time, until it
// clears.
type faultySMTP struct {
	*smtptest.Server
	faults map[string]smtptest.Script

	mu     sync.Mutex
	seen   map[string]int
	unused []string // faults that were not used yet
	clear  bool
	trap   *trap
}

// trap holds a connection whose email has come whole and was not answered yet.
type trap struct{ caught, released chan struct{} }

const fair = "none"

func newFaultySMTP(t *testing.T) (w *faultySMTP, trusted []byte) {
	t.Helper()
	identity, trusted := smtptest.Certificate(t)
	stranger, _ := smtptest.Certificate(t)
	answers := func(command, answer string) smtptest.Script {
		return smtptest.Script{StartTLS: identity, Answers: map[string]string{command: answer}}
	}
	w = &faultySMTP{seen: map[string]int{}, faults: map[string]smtptest.Script{
		"451 at RCPT":         answers("RCPT", "451 4.3.0 try again"),
		"550 at RCPT":         answers("RCPT", "550 5.1.1 no such mailbox"),
		"421 at greeting":     answers("greeting", "421 4.3.2 busy"+smtptest.HangUp),
		"4.7.1 at RCPT":       answers("RCPT", "450 4.7.1 greylisted"),
		"closes after DATA":   answers(".", smtptest.HangUp),
		"hangs after DATA":    answers(".", smtptest.Silence),
		"250 and then closes": answers(".", "250 2.0.0 OK"+smtptest.HangUp),
		"closes at once":      answers("greeting", smtptest.HangUp),
		"speaks garbage":      answers("greeting", "\x02\xff what?"),
		"offers no STARTTLS":  {},
		"bad certificate":     {StartTLS: stranger},
	}}
	w.unused = slices.Collect(maps.Keys(w.faults))
	w.faults[fair] = smtptest.Script{StartTLS: identity, Before: map[string]func(){".": w.waitAtTrap}}
	w.Server = smtptest.ServeEach(t, w.next)
	return w, trusted
}

func (w *faultySMTP) next() smtptest.Script {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := fair
	switch {
	case w.clear:
	case len(w.unused) > 0: // each fault once, then any
		name, w.unused = w.unused[0], w.unused[1:]
	case rand.IntN(2) == 0:
		names := slices.Sorted(maps.Keys(w.faults))
		name = names[rand.IntN(len(names))]
	}
	w.seen[name]++
	return w.faults[name]
}

// waitAtTrap waits until the test releases the email, if the test has set a trap.
func (w *faultySMTP) waitAtTrap() {
	w.mu.Lock()
	trap := w.trap
	w.trap = nil
	w.mu.Unlock()
	if trap != nil {
		close(trap.caught)
		<-trap.released
	}
}

// catch returns when an email is there whole and not answered, and what lets the answer go.
func (w *faultySMTP) catch(t *testing.T) (release func()) {
	t.Helper()
	set := &trap{caught: make(chan struct{}), released: make(chan struct{})}
	w.mu.Lock()
	w.trap = set
	w.mu.Unlock()
	select {
	case <-set.caught:
	case <-time.After(*stormPatience):
		require.FailNow(t, "no email comes")
	}
	return func() { close(set.released) }
}

// clears ends the faults.
func (w *faultySMTP) clears() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clear = true
}

// accepted are the Message-IDs of the emails that the server has said that it has, by their address; each as often as
// it said so.
func (w *faultySMTP) accepted(t require.TestingT) map[string][]string {
	all := map[string][]string{}
	for _, content := range w.Accepted() {
		m, err := netmail.ReadMessage(strings.NewReader(content))
		require.NoError(t, err)
		to, err := m.Header.AddressList("To")
		require.NoError(t, err)
		all[to[0].Address] = append(all[to[0].Address], m.Header.Get("Message-ID"))
	}
	return all
}

// TestMailStorm: through all faults of the mail server, while workers are killed and Temporal is restarted, the mail
// server accepts each welcome email, with one Message-ID. An email may arrive more than once only if the worker could
// not know that the server had accepted it.
func TestMailStorm(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := newSystem(t)
	w, trusted := newFaultySMTP(t)
	certificate := filepath.Join(t.TempDir(), "trusted.pem")
	require.NoError(t, os.WriteFile(certificate, trusted, 0o600))
	gate := newGate(t, w.Host+":"+strconv.Itoa(w.Port))
	host, port, _ := strings.Cut(gate.addr(), ":")
	s.environ = append(s.environ, "SMTP_HOST="+host, "SMTP_PORT="+port, "SMTP_TLS=starttls", "SSL_CERT_FILE="+certificate,
		"SMTP_TIMEOUT=4s", "MAIL_PER_SECOND=200", "RATE_LIMIT_ENABLED=false")
	s.startAPI(t)
	worker := s.startWorker(t)

	var registering sync.WaitGroup
	names := make(chan string)
	for range 8 {
		registering.Go(func() {
			for name := range names {
				s.client.register(t, name, "Somebody")
			}
		})
	}
	go func() {
		defer close(names)
		for i := range *stormUsers {
			names <- fmt.Sprintf("user%04d", i)
		}
	}()
	blows := *stormKills + *stormRestarts
	for blow := range blows {
		s.await(t, func() bool { return len(w.accepted(t)) > blow**stormUsers/(blows+1) })
		if blow%2 == 0 && blow/2 < *stormKills || blow/2 >= *stormRestarts {
			release := w.catch(t)
			worker.kill()
			release()
			worker = s.startWorker(t)
			continue
		}
		require.NoError(t, s.stack.Stop(devstack.Temporal))
		gate.shut()
		require.NoError(t, s.stack.Restart(t.Context(), devstack.Temporal))
		gate.open()
	}
	registering.Wait()
	require.False(t, t.Failed())

	w.clears()

	admin, resent := s.admin(t), 0
	s.await(t, func() bool {
		for _, email := range admin.get(t, "/admin/emails?state=failed&limit=100").list(t) {
			resent += s.resend(t, admin, email.(map[string]any), w.accepted(t))
		}
		return admin.get(t, "/admin/emails/pause").data(t)["waiting"].(float64) == 0
	})
	s.awaitIdle(t)

	twice := 0
	emails := w.accepted(t)
	require.Len(t, emails, *stormUsers+1, "the admin too")
	for address, ids := range emails {
		twice += len(ids) - 1
		require.LessOrEqual(
			t, len(ids), 1+s.cutShort(t, address), "%s got it again although the server had said that it has it", address,
		)
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(ids))), 1,
			"%s was welcomed by more than one email", address)
	}
	for _, h := range histories(t, dialTemporal(t, s.stack.TemporalAddress()), *stormUsers+1) {
		h.requireNone(t, "@people.example", "user0", "Somebody", password)
	}
	outcomes := map[string]int{}
	var rows []struct {
		Outcome string
		Count   int
	}
	require.NoError(
		t,
		s.store.DB().
			NewRaw("SELECT outcome, count(*) AS count FROM email_attempts GROUP BY outcome").
			Scan(t.Context(), &rows),
	)
	for _, row := range rows {
		outcomes[row.Outcome] = row.Count
	}
	require.GreaterOrEqual(t, outcomes[string(watchparty.EmailOutcomeOpen)], *stormKills, "each kill cut an attempt short")

	table := &strings.Builder{}
	out := tabwriter.NewWriter(table, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "registrations\t%d\nworkers killed\t%d\nTemporal restarted\t%d\nseconds\t%.0f\n", *stormUsers,
		*stormKills, *stormRestarts, time.Since(began).Seconds())
	for _, name := range slices.Sorted(maps.Keys(w.seen)) {
		fmt.Fprintf(out, "connections with fault: %s\t%d\n", name, w.seen[name])
	}
	for _, name := range slices.Sorted(maps.Keys(outcomes)) {
		fmt.Fprintf(out, "attempts: %s\t%d\n", name, outcomes[name])
	}
	fmt.Fprintf(
		out,
		"came whole without the server saying so\t%d\nsent again by an admin\t%d\nwelcomed\t%d\nwelcomed by more than one "+
			"Message-ID\t0\naccepted once more, by the same Message-ID\t%d\n",
		len(w.Contents())-len(w.Accepted()),
		resent,
		len(emails),
		twice,
	)
	require.NoError(t, out.Flush())
	t.Log("\n" + table.String())
}

// cutShort is how many attempts at somebody's emails had a worker that died over them.
func (s *system) cutShort(t *testing.T, address string) (n int) {
	t.Helper()
	require.NoError(t, s.store.DB().NewRaw(`SELECT count(*) FROM email_attempts AS a JOIN emails AS e ON e.id = a.email_id
		JOIN users AS u ON u.id = e.user_id WHERE u.email = ? AND a.outcome = ?`, address,
		string(watchparty.EmailOutcomeOpen)).Scan(t.Context(), &n))
	return n
}

// await waits as long as a storm may take.
func (s *system) await(t *testing.T, done func() bool) {
	t.Helper()
	require.Eventually(t, done, *stormPatience, 200*time.Millisecond)
}

// admin makes one.
func (s *system) admin(t *testing.T) client {
	t.Helper()
	admin, account := s.client.register(t, "ruth", "Ruth")
	s.grantAdmin(t, account.User.Email)
	return admin
}

// resend sends a failed email again, unless that was done already, like an admin who knows that the mail server does
// not have it. It returns the number of emails that it has queued.
func (s *system) resend(t *testing.T, admin client, email map[string]any, accepted map[string][]string) int {
	t.Helper()
	var address string
	require.NoError(
		t,
		s.store.DB().
			NewRaw("SELECT email FROM users WHERE id = ?", email["recipient"].(map[string]any)["id"]).
			Scan(t.Context(), &address),
	)
	var done bool
	require.NoError(t,
		s.store.DB().NewRaw("SELECT EXISTS (SELECT FROM emails WHERE resend_of = ?)", email["id"]).Scan(t.Context(), &done))
	if done || accepted[address] != nil {
		return 0
	}
	require.Equal(t, 201, admin.post(t, "/admin/emails/"+email["id"].(string)+"/resend", nil).status)
	return 1
}
