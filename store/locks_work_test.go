package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// workWrites are what workers and admins do: emails, webhooks, jobs, movies, reports and clean-up.
var workWrites = map[string]func(c *cast) operation{
	"AdmitEmail": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		return func(ctx context.Context) error {
			return second(c.s.AdmitEmail(ctx, id, parseAddress(c.t, c.holder.Email)))
		}
	},
	"BeginEmailAttempt": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		return func(ctx context.Context) error { return second(c.s.BeginEmailAttempt(ctx, id)) }
	},
	"MarkEmailSent": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		return func(ctx context.Context) error { return c.s.MarkEmailSent(ctx, id, 1) }
	},
	"CancelUndeliverableEmail": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		return func(ctx context.Context) error {
			return c.s.CancelUndeliverableEmail(ctx, id, 1, watchparty.ReasonCancelled)
		}
	},
	"MarkEmailFailed": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		return func(ctx context.Context) error { return c.s.MarkEmailFailed(ctx, id) }
	},
	"RecordEmailAttempt": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		return func(ctx context.Context) error {
			return second(c.s.RecordEmailAttempt(ctx, id, 1, EmailRefusal{Outcome: watchparty.EmailOutcomeTemporary}))
		}
	},
	"ResendEmail": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		execute(c.t, c.s, "UPDATE emails SET state = 'failed' WHERE id = ?", id)
		return func(ctx context.Context) error {
			return second(c.s.ResendEmail(ctx, c.holder.ID, id, IdempotencyKey{}))
		}
	},
	"ResendEmailOfJob": func(c *cast) operation {
		execute(c.t, c.s, "UPDATE emails SET state = 'failed' WHERE id = ?",
			emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID))
		return func(ctx context.Context) error {
			workflowID := job.WelcomeEmailID(c.holder.ID)
			return second(c.s.ResendEmailOfJob(ctx, c.holder.ID, workflowID))
		}
	},
	"AuditJob": func(c *cast) operation {
		return func(ctx context.Context) error {
			return c.s.AuditJob(ctx, c.holder.ID, JobAct{
				Action: watchparty.AuditJobTerminated, WorkflowID: job.WelcomeEmailID(c.holder.ID), Kind: job.WorkflowWelcomeEmail,
			}, func(context.Context) error { return nil })
		}
	},
	"PauseQueue": func(c *cast) operation {
		return func(ctx context.Context) error {
			return c.s.PauseQueue(ctx, c.holder.ID, job.TaskQueueAvatar)
		}
	},
	"ResumeQueue": func(c *cast) operation {
		return func(ctx context.Context) error {
			return c.s.ResumeQueue(ctx, c.holder.ID, job.TaskQueueAvatar)
		}
	},
	"CreateWebhook": func(c *cast) operation {
		return func(ctx context.Context) error {
			made, err := c.s.CreateWebhook(ctx, c.holder.ID, webhookOfRooms, IdempotencyKey{})
			if err != nil {
				return err
			}
			return c.s.DeleteWebhook(ctx, c.holder.ID, made.ID)
		}
	},
	"UpdateWebhook": func(c *cast) operation {
		hook, _ := giveDelivery(c)
		turn := new(bool)
		return func(ctx context.Context) error {
			*turn = !*turn
			return second(c.s.UpdateWebhook(ctx, c.holder.ID, hook, watchparty.WebhookChange{Enabled: turn}))
		}
	},
	"DeleteWebhook": func(c *cast) operation {
		hook, _ := giveDelivery(c)
		return func(ctx context.Context) error { return c.s.DeleteWebhook(ctx, c.holder.ID, hook) }
	},
	"RotateWebhookSecret": func(c *cast) operation {
		hook, _ := giveDelivery(c)
		return func(ctx context.Context) error {
			return second(c.s.RotateWebhookSecret(ctx, c.holder.ID, hook, time.Hour))
		}
	},
	"ResealWebhooks": func(c *cast) operation {
		return func(ctx context.Context) error { return second(c.s.ResealWebhooks(ctx)) }
	},
	"TestWebhook": func(c *cast) operation {
		hook, _ := giveDelivery(c)
		return func(ctx context.Context) error { return second(c.s.TestWebhook(ctx, c.holder.ID, hook)) }
	},
	"RedeliverWebhook": func(c *cast) operation {
		_, delivery := giveDelivery(c)
		execute(c.t, c.s, "UPDATE webhook_deliveries SET state = 'failed', ended_at = now() WHERE id = ?", delivery)
		return func(ctx context.Context) error { return second(c.s.RedeliverWebhook(ctx, c.holder.ID, delivery)) }
	},
	"ReplayWebhook": func(c *cast) operation {
		hook, delivery := giveDelivery(c)
		execute(c.t, c.s, "UPDATE webhook_deliveries SET state = 'failed', ended_at = now() WHERE id = ?", delivery)
		return func(ctx context.Context) error { return second(c.s.ReplayWebhook(ctx, c.holder.ID, hook, time.Time{})) }
	},
	"BeginWebhookAttempt": func(c *cast) operation {
		_, delivery := giveDelivery(c)
		return func(ctx context.Context) error { return second(c.s.BeginWebhookAttempt(ctx, delivery, 1)) }
	},
	"EndWebhookAttempt": func(c *cast) operation {
		_, delivery := giveDelivery(c)
		work, err := c.s.BeginWebhookAttempt(c.t.Context(), delivery, 1)
		require.NoError(c.t, err)
		return func(ctx context.Context) error {
			_, _, err := c.s.EndWebhookAttempt(ctx, work, WebhookResult{Outcome: watchparty.WebhookOutcomeGone, Status: 410})
			return err
		}
	},
	"CancelWebhookDelivery": func(c *cast) operation {
		_, delivery := giveDelivery(c)
		return func(ctx context.Context) error { return second(c.s.CancelWebhookDelivery(ctx, delivery, 1)) }
	},
	"RequeueEvent": func(c *cast) operation {
		id := readValue[string](c.t, c.s, "SELECT id FROM outbox ORDER BY id LIMIT 1")
		return func(ctx context.Context) error {
			return second(c.s.RequeueEvent(ctx, c.holder.ID, id))
		}
	},
	"CancelEmail": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		execute(c.t, c.s, "UPDATE emails SET state = 'queued' WHERE id = ?", id)
		return func(ctx context.Context) error {
			return second(c.s.CancelEmail(ctx, c.holder.ID, id))
		}
	},
	"ResumeEmails": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.ResumeEmails(ctx, c.holder.ID) }
	},
	"CreateMovie": func(c *cast) operation {
		return func(ctx context.Context) error {
			n := watchparty.NewMovie{Title: newID(), Year: 1927, RuntimeMinutes: 60}
			key := IdempotencyKey{Hash: []byte(newID()), Fingerprint: []byte("new")}
			return second(c.s.CreateMovie(ctx, c.holder.ID, n, key))
		}
	},
	"UpdateMovie": func(c *cast) operation {
		movie := giveMovie(c)
		return func(ctx context.Context) error {
			change := watchparty.MovieChange{Description: ptr("Silent.")}
			return second(c.s.UpdateMovie(ctx, c.holder.ID, movie, change, nil))
		}
	},
	"DeleteMovie": func(c *cast) operation {
		movie := giveMovie(c)
		return func(ctx context.Context) error { return c.s.DeleteMovie(ctx, c.holder.ID, movie, nil) }
	},
	"AddMovies": func(c *cast) operation {
		movies := make([]watchparty.Movie, 8)
		for i := range movies {
			movies[i] = watchparty.Movie{Title: fmt.Sprint(c.holder.Username, i), Year: 1927, RuntimeMinutes: 60}
		}
		rand.Shuffle(len(movies), func(i, j int) { movies[i], movies[j] = movies[j], movies[i] })
		back := slices.Clone(movies)
		slices.Reverse(back)
		return func(ctx context.Context) error {
			var wg sync.WaitGroup
			var err error
			wg.Go(func() { err = c.s.AddMovies(ctx, back) })
			defer wg.Wait()
			return errors.Join(c.s.AddMovies(ctx, movies), err)
		}
	},
	"TallyDay": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.TallyDay(ctx, watchparty.DayOf(Now())) }
	},
	"CreateActivityReport": func(c *cast) operation {
		return func(ctx context.Context) error {
			_, err := c.s.CreateActivityReport(ctx, watchparty.ReportWeek, "2025-01-06", "2025-01-12")
			return err
		}
	},
	"QueueReportEmails": func(c *cast) operation {
		report := addReport(c)
		readers := reportReaders(c.t, "a@example.org", "b@example.org")
		return func(ctx context.Context) error { return second(c.s.QueueReportEmails(ctx, report, readers)) }
	},
	"CreateRun": func(c *cast) operation {
		return func(ctx context.Context) error {
			n := watchparty.NewRun{Policies: watchparty.Policies()}
			return second(c.s.CreateRun(ctx, c.holder.ID, n, IdempotencyKey{}))
		}
	},
	"RepeatRun": func(c *cast) operation {
		run := newRun(c.t, c.s, c.holder, false)
		return func(ctx context.Context) error {
			return second(c.s.RepeatRun(ctx, c.holder.ID, job.CleanupID(run.ID), watchparty.Policies()))
		}
	},
	"BeginRun": func(c *cast) operation {
		return func(ctx context.Context) error {
			return c.s.BeginRun(ctx, job.CleanupInput{RunID: newID(), Policies: watchparty.Policies()}, newID())
		}
	},
	"CancelRun": func(c *cast) operation {
		run := startRun(c)
		return func(ctx context.Context) error { return second(c.s.CancelRun(ctx, c.holder.ID, run)) }
	},
	"FinishRun": func(c *cast) operation {
		run := startRun(c)
		return func(ctx context.Context) error { return second(c.s.FinishRun(ctx, job.FinishCleanupInput{RunID: run})) }
	},
	"EnterPolicy": func(c *cast) operation {
		run := startRun(c)
		return func(ctx context.Context) error { return second(c.s.EnterPolicy(ctx, run, watchparty.PolicyFiles)) }
	},
	"CountCleanup": func(c *cast) operation {
		run := startRun(c)
		return func(ctx context.Context) error {
			return c.s.CountCleanup(ctx, run, watchparty.PolicyRooms, Now().Add(time.Hour))
		}
	},
	"SetCleanupCount": func(c *cast) operation {
		run := startRun(c)
		return func(ctx context.Context) error { return c.s.SetCleanupCount(ctx, run, watchparty.PolicyFiles, 1, nil) }
	},
	"AddCleanupCount": func(c *cast) operation {
		run := startRun(c)
		return func(ctx context.Context) error { return c.s.AddCleanupCount(ctx, run, watchparty.PolicyFiles, 1) }
	},
}

var webhookOfRooms = watchparty.NewWebhook{
	URL: "https://hooks.example", Kinds: []watchparty.WebhookKind{watchparty.WebhookRoomOpened},
}

// giveDelivery makes a webhook with a delivery that waits, and returns their IDs.
func giveDelivery(c *cast) (hook, delivery string) {
	hook, delivery = newID(), newID()
	execute(c.t, c.s,
		"INSERT INTO webhooks (id, url, kinds, secret) VALUES (?, 'https://hooks.example', '{room.opened}', ?)", hook,
		c.s.sealer.Seal(sealedFor, hook, []byte("key")))
	execute(c.t, c.s, `INSERT INTO webhook_deliveries (id, webhook_id, event_id, kind, body, deadline_at, workflow_id)
		VALUES (?0, ?1, ?0, 'room.opened', '{}', now() + interval '3 d', '')`, delivery, hook)
	return hook, delivery
}

// giveMovie returns a movie that the cast's deleted room has.
func giveMovie(c *cast) string {
	title := "Movie for " + c.holder.Username
	movie := readValue[string](c.t, c.s, "SELECT coalesce((SELECT id::text FROM movies WHERE title = ?), '')", title)
	if movie != "" {
		return movie
	}
	movie = addMovie(c.t, c.s, title)
	execute(c.t, c.s, "INSERT INTO rooms (id, name, visibility, capacity, archived_at, deleted_at, host_id, movie_id) "+
		"VALUES (?, 'room', 'public', 9, now(), now(), ?, ?)", newID(), c.holder.ID, movie)
	return movie
}

// startRun returns the cast's clean-up run, which the holder started.
func startRun(c *cast) string {
	id := readValue[string](
		c.t, c.s, "SELECT coalesce((SELECT id::text FROM cleanup_runs WHERE started_by = ? LIMIT 1), '')", c.holder.ID,
	)
	if id == "" {
		id = newRun(c.t, c.s, c.holder, false).ID
	}
	return id
}

// cleanUp applies a policy to rows of any age. The cast's room is retired, or deleted, so that there is something to
// do.
func cleanUp(policy watchparty.Policy) func(c *cast) operation {
	return func(c *cast) operation {
		run := startRun(c)
		switch policy {
		case watchparty.PolicyArchived:
			column := []string{"retired_at", "deleted_at"}[rand.IntN(2)]
			execute(
				c.t,
				c.s,
				"DELETE FROM parties WHERE room_id = ?1; UPDATE rooms SET archived_at = now(), ?0 = now() WHERE id = ?1",
				bun.Ident(column),
				c.room.ID,
			)
		case watchparty.PolicyUnverified:
			execute(c.t, c.s, "UPDATE users SET email_verified_at = NULL, is_admin = false WHERE id IN (?, ?)", c.deputy.ID,
				c.guest.ID)
		}
		return func(ctx context.Context) error {
			return second(c.s.CleanupBatch(ctx, run, policy, Now().Add(time.Hour), 5, Cursor{}))
		}
	}
}
