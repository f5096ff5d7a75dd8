package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// BenchmarkPictures compares a burst, and one account's many uploads, with a system that has nothing else to do.
func BenchmarkPictures(b *testing.B) {
	const (
		accounts = 100
		uploads  = 50
		// The bars.
		maxFirst  = 2   // the first picture of the burst against an idle system's
		maxMedian = 0.6 // the burst's median against its last
		maxDelay  = 2   // what another account's uploads add to a picture's time, in renders
	)
	for b.Loop() {
		s := newSystem(b)
		s.environ = append(s.environ, "RATE_LIMIT_ENABLED=false", "LOG_LEVEL=warn")
		s.startAPI(b)
		s.startWorker(b)
		picture := heavyPhoto(b)
		users := make([]client, accounts)
		for i := range users {
			users[i], _ = s.client.register(b, fmt.Sprintf("user%03d", i), "Somebody")
		}
		s.awaitIdle(b)

		var idle []time.Duration
		for range 5 {
			began := time.Now()
			upload(b, users[0], picture)
			idle = append(idle, s.published(b, 1, began)[0])
		}
		alone := median(idle)

		began := time.Now()
		var senders sync.WaitGroup
		queue := make(chan client)
		for range 2 {
			senders.Go(func() {
				for user := range queue {
					upload(b, user, picture)
				}
			})
		}
		for _, user := range users {
			queue <- user
		}
		close(queue)
		senders.Wait()
		burst := s.published(b, accounts, began)
		first, middle, last := burst[0], median(burst), burst[len(burst)-1]

		many, single := users[0], users[1]
		var asked time.Time
		for i := range uploads {
			upload(b, many, picture)
			if i == uploads/2 {
				asked = time.Now()
				upload(b, single, picture)
			}
		}
		delayed := s.publishedOf(b, "user001", asked)
		s.awaitRendered(b)

		missed := 0.0
		report := func(name string, ratio float64, most float64) {
			b.ReportMetric(ratio, name)
			if ratio > most {
				b.Logf("%s is %.2f; the bar is %.1f", name, ratio, most)
				missed++
			}
		}
		b.Logf("alone %s, first %s, median %s, last %s, beside 50 %s", alone, first, middle, last, delayed)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(alone.Seconds()*1000, "alone-ms")
		b.ReportMetric(first.Seconds()*1000, "first-ms")
		b.ReportMetric(middle.Seconds()*1000, "median-ms")
		b.ReportMetric(last.Seconds()*1000, "last-ms")
		b.ReportMetric(delayed.Seconds()*1000, "beside-50-ms")
		report("first/alone", first.Seconds()/alone.Seconds(), maxFirst)
		report("median/last", middle.Seconds()/last.Seconds(), maxMedian)
		report("delay/alone", (delayed-alone).Seconds()/alone.Seconds(), maxDelay)
		b.ReportMetric(missed, "bars-missed")
	}
}

func upload(b *testing.B, user client, picture []byte) {
	answer := user.putAvatar(b, picture)
	assert.Equal(b, http.StatusAccepted, answer.status, "%s", answer.body)
}

func median(all []time.Duration) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}

// published waits for so many avatars that were published after a time, and returns how long after it, sorted.
func (s *system) published(b *testing.B, n int, after time.Time) (took []time.Duration) {
	b.Helper()
	require.Eventually(b, func() bool {
		var at []time.Time
		err := s.store.DB().
			NewRaw("SELECT published_at FROM avatars WHERE published_at > ? ORDER BY published_at", after).
			Scan(b.Context(), &at)
		took = nil
		for _, t := range at {
			took = append(took, t.Sub(after))
		}
		return err == nil && len(took) >= n
	}, 5*time.Minute, 20*time.Millisecond)
	return took
}

func (s *system) publishedOf(b *testing.B, username string, after time.Time) time.Duration {
	b.Helper()
	var at time.Time
	require.Eventually(b, func() bool {
		return s.store.DB().NewRaw(`SELECT published_at FROM avatars AS a JOIN users AS u ON u.id = a.user_id
			WHERE u.username = ? AND published_at > ?`, username, after).Scan(b.Context(), &at) == nil
	}, 5*time.Minute, 20*time.Millisecond)
	return at.Sub(after)
}

func (s *system) awaitRendered(b *testing.B) {
	b.Helper()
	require.Eventually(b, func() bool {
		var waiting int
		err := s.store.DB().NewRaw("SELECT count(*) FROM avatars WHERE state = 'processing'").Scan(b.Context(), &waiting)
		return err == nil && waiting == 0
	}, 5*time.Minute, 20*time.Millisecond)
}

// BenchmarkReset asks for resets while 10,000 other emails wait: some of them in the outbox, and then all in Temporal.
func BenchmarkReset(b *testing.B) {
	const (
		others  = 10_000
		resets  = 5
		allowed = 2 * time.Second
	)
	for b.Loop() {
		s := newSystem(b)
		s.environ = append(s.environ, "RATE_LIMIT_ENABLED=false", "LOG_LEVEL=warn")
		s.startAPI(b)
		s.startWorker(b)
		idle := s.resets(b, "idle", resets)
		s.awaitIdle(b)

		queue := make(chan int)
		var writers sync.WaitGroup
		for range 4 {
			writers.Go(func() {
				for n := range queue {
					name := fmt.Sprintf("other%05d", n)
					_, err := s.store.CreateUser(b.Context(), watchparty.Registration{
						Username: name, Email: name + "@people.example", DisplayName: "Other",
					}, "hash")
					assert.NoError(b, err)
				}
			})
		}
		for n := range others {
			queue <- n
		}
		close(queue)
		writers.Wait()
		inOutbox := s.waiting(b, "outbox WHERE state = 'pending'")
		inTemporal := s.waiting(b, "emails WHERE state IN ('queued', 'sending')") - inOutbox
		behind := s.resets(b, "behind", resets)
		require.Eventually(
			b, func() bool { return s.waiting(b, "outbox WHERE state = 'pending'") == 0 }, 10*time.Minute, time.Second,
		)
		atLast := s.waiting(b, "emails WHERE state IN ('queued', 'sending')")
		require.Greater(b, atLast, others/10, "so many wait for their turn")
		last := s.resets(b, "last", resets)

		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(inOutbox), "in-outbox")
		b.ReportMetric(float64(inTemporal), "in-temporal")
		b.ReportMetric(float64(atLast), "all-in-temporal")
		for name, took := range map[string]time.Duration{"idle": idle, "behind": behind, "last": last} {
			b.ReportMetric(took.Seconds()*1000, name+"-max-ms")
			if took > allowed {
				b.Errorf("%s: a reset took %s; %s are allowed", name, took, allowed)
			}
		}
	}
}

func (s *system) waiting(b *testing.B, where string) (n int) {
	b.Helper()
	require.NoError(b, s.store.DB().NewRaw("SELECT count(*) FROM "+where).Scan(b.Context(), &n))
	return n
}

// resets asks for resets of new accounts, one after the other, and returns the longest time from the request until the
// SMTP server had the email.
func (s *system) resets(b *testing.B, prefix string, n int) (longest time.Duration) {
	b.Helper()
	for i := range n {
		name := fmt.Sprintf("%s%d", prefix, i)
		_, account := s.client.register(b, name, "Forgetful")
		began := time.Now()
		got := s.client.post(b, "/auth/password-reset", map[string]string{"email": name + "@people.example"})
		require.Equal(b, http.StatusAccepted, got.status, "%s", got.body)
		var sentAt time.Time
		require.Eventually(b, func() bool {
			return s.store.DB().NewRaw("SELECT sent_at FROM emails WHERE kind = ? AND user_id = ? AND state = 'sent'",
				string(watchparty.EmailReset), account.User.ID).Scan(b.Context(), &sentAt) == nil
		}, 2*time.Minute, 10*time.Millisecond)
		took := sentAt.Sub(began)
		b.Logf("%s: %s", name, took)
		longest = max(longest, took)
	}
	return longest
}
