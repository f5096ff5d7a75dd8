package store

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// lost is a row in a state whose workflow there is not, and never was.
type lost struct {
	insert string // ?0 its ID, ?1 when its time began, ?2 a user, ?3 a room
	row    string // what is read of it after its end; ?0 its ID
	want   string
}

// losses are one for each of ends, by its name.
var losses = map[string]lost{
	"invitations open": {
		"INSERT INTO invitations (id, room_id, inviter_id, email, expires_at) VALUES (?0, ?3, ?2, ?0, ?1)",
		"SELECT state || ' ' || (updated_at = expires_at) FROM invitations WHERE id = ?0", "expired true",
	},
	"emails queued": {
		"INSERT INTO emails (id, kind, subject_id, workflow_id, updated_at) VALUES (?0, 'welcome', ?0, '', ?1)",
		"SELECT state || ' ' || reason FROM emails WHERE id = ?0", "failed expired",
	},
	"emails sending": {
		`INSERT INTO emails (id, kind, subject_id, workflow_id, state, reason, last_answer, updated_at)
			VALUES (?0, 'welcome', ?0, '', 'sending', 'mailbox_full', '452 4.2.2 full', ?1)`,
		"SELECT state || ' ' || reason || ' ' || last_answer FROM emails WHERE id = ?0", "failed mailbox_full 452 4.2.2 full",
	},
	"email_attempts open": {
		`WITH email AS (INSERT INTO emails (id, kind, subject_id, workflow_id) VALUES (?0, 'welcome', ?0, ''))
			INSERT INTO email_attempts (email_id, number, created_at) VALUES (?0, 1, ?1)`,
		"SELECT outcome || ' ' || (ended_at IS NOT NULL) FROM email_attempts WHERE email_id = ?0", "lost true",
	},
	"avatars processing": {
		"INSERT INTO avatars (id, user_id, version, state, updated_at) SELECT ?0, ?2, 1 + count(*), 'processing', ?1 " +
			"FROM avatars",
		"SELECT state || ' ' || reason FROM avatars WHERE id = ?0",
		"failed " + watchparty.AvatarReasonLost,
	},
	"cleanup_runs queued": {
		"INSERT INTO cleanup_runs (id, trigger, policies, workflow_id, created_at, updated_at) " +
			"VALUES (?0, 'admin', '{}', '', ?1, ?1)",
		`SELECT c.state || ' ' || (c.finished_at IS NOT NULL) || ' ' || (r.data->>'state') || ' ' || (r.period_start = c.created_at)
			FROM cleanup_runs AS c JOIN reports AS r ON r.run_id = c.id WHERE c.id = ?0`,
		"failed true failed true",
	},
	"cleanup_runs running": {
		`INSERT INTO cleanup_runs (id, trigger, policies, workflow_id, state, policy, counts, started_at, updated_at)
			VALUES (?0, 'schedule', '{}', '', 'running', 'old_emails', '{"old_messages": 3}', ?1, ?1)`,
		`SELECT c.state || ' ' || (c.errors->>'old_emails') || ' ' || (r.data->'counts'->>'old_messages')
			FROM cleanup_runs AS c JOIN reports AS r ON r.run_id = c.id WHERE c.id = ?0`, "failed ended without a report 3",
	},
	"outbox pending": {
		"INSERT INTO outbox (id, workflow_id, workflow, task_queue, input, created_at) VALUES (?0, ?0, '', '', '{}', ?1)",
		"SELECT state FROM outbox WHERE id = ?0", "abandoned",
	},
	"webhook_deliveries pending": {
		insertWebhook + `INSERT INTO webhook_deliveries (id, webhook_id, event_id, kind, body, deadline_at, workflow_id)
			VALUES (?0, ?0, ?0, 'room.opened', '{}', ?1, '')`,
		"SELECT state || ' ' || reason || ' ' || (ended_at IS NOT NULL) FROM webhook_deliveries WHERE id = ?0",
		"failed lost true",
	},
	"webhook_deliveries off": {
		strings.Replace(insertWebhook, "NULL", "now()", 1) + `INSERT INTO webhook_deliveries (id, webhook_id, event_id, kind,
			body, deadline_at, workflow_id, updated_at) VALUES (?0, ?0, ?0, 'room.opened', '{}', 'infinity', '', ?1)`,
		"SELECT state || ' ' || reason || ' ' || (ended_at IS NOT NULL) FROM webhook_deliveries WHERE id = ?0",
		"cancelled webhook_off true",
	},
	"webhook_attempts open": {
		insertWebhook + `, delivery AS (INSERT INTO webhook_deliveries (id, webhook_id, event_id, kind, body, deadline_at,
			workflow_id, updated_at) VALUES (?0, ?0, ?0, 'room.opened', '{}', 'infinity', '', 'infinity'))
			INSERT INTO webhook_attempts (delivery_id, number, created_at) VALUES (?0, 1, ?1)`,
		"SELECT outcome || ' ' || (ended_at IS NOT NULL) FROM webhook_attempts WHERE delivery_id = ?0", "lost true",
	},
	"parties scheduled": {
		"INSERT INTO parties (id, room_id, starts_at, time_zone) VALUES (?0, ?3, ?1, 'UTC')",
		"SELECT state || ' ' || (ended_at IS NOT NULL) FROM parties WHERE id = ?0", "missed true",
	},
	"users deleted_at": {
		"INSERT INTO users (id, username, email, display_name, password_hash, deleted_at) " +
			"VALUES (?0, 'u' || right(?0, 20), ?0, '', '', ?1)",
		"SELECT workflow || ' ' || (input->>'user_id' = ?0) FROM outbox " +
			"WHERE workflow_id = 'account-deletion/' || ?0 || '/1'",
		"DeleteAccount true",
	},
}

const insertWebhook = `WITH hook AS (INSERT INTO webhooks (id, url, kinds, secret, off_at)
	VALUES (?0, '', '{}', '', NULL)) `

func endOverdue(t *testing.T, s *Store) map[string]int {
	t.Helper()
	ended, err := s.EndOverdue(t.Context())
	require.NoError(t, err)
	return ended
}

// TestEveryStateEnds: without its workflow, each state lasts as long as its time and no longer, and ends well.
func TestEveryStateEnds(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	user := newUser(t, s, "ada")
	room := newRoom(t, s, user, nil)
	execute(t, s, "DELETE FROM outbox")
	for _, e := range timeLimits {
		t.Run(e.name(), func(t *testing.T) {
			l, ok := losses[e.name()]
			require.True(t, ok, "how does it end?")
			now := readValue[time.Time](t, s, "SELECT now()")
			over, near := newID(), newID()
			execute(t, s, l.insert, over, now.Add(-e.after), user.ID, room.ID)
			execute(t, s, l.insert, near, now.Add(-e.after+time.Minute), user.ID, room.ID)
			require.Equal(t, map[string]int{e.name(): 1}, endOverdue(t, s))
			require.Equal(t, l.want, readValue[string](t, s, l.row, over))
			var none []string
			require.NoError(t, s.db.NewRaw(l.row, near).Scan(t.Context(), &none))
			require.NotContains(t, none, l.want, "its time is not over")
			require.Empty(t, endOverdue(t, s), "again there is nothing to do")
			require.Equal(t, l.want, readValue[string](t, s, l.row, over))
			execute(t, s, "DELETE FROM outbox")
		})
	}
	require.Len(t, losses, len(timeLimits))
}

// lasting are states that are final, or that people end: nothing waits for them.
var lasting = map[string][]string{
	"avatars.state":          {"ready", "failed", "superseded"},
	"cleanup_runs.state":     {"completed", "failed", "cancelled"},
	"email_attempts.outcome": {"sent", "temporary", "later", "unreachable", "ambiguous", "permanent", "cancelled", "lost"},
	"emails.state":           {"sent", "failed", "cancelled"},
	"invitations.state":      {"accepted", "declined", "revoked", "expired"},
	"outbox.state":           {"started", "abandoned"},
	// No states of their own.
	"avatars.step":         {"queued", "rendering", "publishing"}, // how far a processing one is
	"cleanup_runs.trigger": {"schedule", "admin"},
	"emails.reason": {
		"", "address_rejected", "mailbox_full", "message_rejected", "server_unreachable", "unconfirmed", "expired",
		"cancelled", "opted_out", "no_account", "account_suspended", "already_confirmed", "address_taken", "link_ended",
		"invitation_ended", "may_not_invite", "room_ended", "party_changed", "party_ended", "not_a_guest", "not_a_recipient",
	},
	"abuse_reports.state":       {"open", "resolved"}, // admins end it
	"abuse_reports.kind":        {"spam", "harassment", "hate", "sexual", "violence", "illegal", "other"},
	"abuse_reports.target_kind": {"room", "message", "user"},
	"abuse_reports.outcome":     {"dismissed", "acted"},
	"queue_pauses.queue":        {"avatar", "maintenance", "webhooks"},
	"webhook_deliveries.state":  {"delivered", "failed", "cancelled"},
	"webhook_deliveries.reason": {"", "attempts", "gone", "webhook_off", "stopped", "lost"},
	"webhook_attempts.outcome": {
		"delivered", "status", "redirect", "gone", "timeout", "name", "connection", "tls", "blocked", "lost",
	},
	"webhooks.off_reason":  {"", "admin", "failing", "gone"},
	"parties.state":        {"started", "cancelled", "missed"}, // SweepParties starts them
	"party_answers.answer": {"yes", "maybe", "no"},
	"party_notices.kind":   {"day", "hour", "moved", "cancelled"},
	"audit.outcome":        {"pending", "done", "failed", "unknown"}, // pending reads as unknown after a minute
	"members.role":         {"moderator", "viewer"},
	"rooms.visibility":     {"public", "unlisted", "private"},
	"rooms.control":        {"host", "moderators", "everyone"},
	"rooms.queue":          {"host", "moderators", "everyone"},
	"rooms.queue_order":    {"manual", "votes"},
	"rooms.wait_policy":    {"auto", "everyone", "host", "nobody"},
	"playbacks.state":      {"idle", "waiting", "playing", "paused"}, // SweepPlaybacks ends what time ends
}

// TestNoStateIsForgotten: whatever the schema lets a column be is final, or is among ends.
func TestNoStateIsForgotten(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	var checks []struct {
		Table      string
		Definition string
	}
	require.NoError(
		t,
		s.db.NewRaw(`SELECT conrelid::regclass::text AS table, pg_get_constraintdef(oid) AS definition FROM pg_constraint
		WHERE contype = 'c' AND connamespace = current_schema()::regnamespace`).Scan(t.Context(), &checks),
	)
	enumeration := regexp.MustCompile(`\((\w+) = ANY \(ARRAY\[(.*?)\]\)\)`)
	value := regexp.MustCompile(`'([^']*)'`)
	known := map[string][]string{}
	for _, check := range checks {
		for _, found := range enumeration.FindAllStringSubmatch(check.Definition, -1) {
			column := check.Table + "." + found[1]
			for _, v := range value.FindAllStringSubmatch(found[2], -1) {
				known[column] = append(known[column], v[1])
			}
		}
	}
	want := map[string][]string{}
	for column, states := range lasting {
		want[column] = slices.Clone(states)
	}
	for _, e := range timeLimits {
		if e.column != "" {
			column := e.table + "." + e.column
			if !slices.Contains(want[column], e.state) { // it may end for several reasons
				want[column] = append(want[column], e.state)
			}
			require.Contains(t, append(lasting[column], ""), e.becomes, "%s becomes what is final", e.name())
		}
	}
	for column, states := range known {
		require.ElementsMatch(t, want[column], states, "%s: which of its values is final, and what ends the others?", column)
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(known)),
		"every list of states is checked by the schema")
	// A column that says so without a list would not be seen.
	var columns []string
	require.NoError(t, s.db.NewRaw(`SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND column_name IN ('state', 'status', 'outcome', 'step', 'phase')`).Scan(t.Context(), &columns))
	for _, column := range columns {
		require.Contains(t, known, column)
	}
}

// endQueues are the queues that have the work that ends a state, by end. Other states end without it.
var endQueues = map[string]string{
	"emails queued":              job.TaskQueueEmail,
	"emails sending":             job.TaskQueueEmail,
	"avatars processing":         job.TaskQueueAvatar,
	"cleanup_runs queued":        job.TaskQueueMaintenance,
	"cleanup_runs running":       job.TaskQueueMaintenance,
	"webhook_deliveries pending": job.TaskQueueWebhooks,
}

// TestWorkThatRests: work of a queue that an admin has paused is not lost, however long the pause is, and has the time
// of new work after it.
func TestWorkThatRests(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	room := newRoom(t, s, admin, nil)
	execute(t, s, "DELETE FROM outbox")
	require.Subset(t, slices.Collect(maps.Values(endQueues)), job.ServableTaskQueues())
	for _, e := range timeLimits {
		t.Run(e.name(), func(t *testing.T) {
			l, id := losses[e.name()], newID()
			now := readValue[time.Time](t, s, "SELECT now()")
			execute(t, s, l.insert, id, now.Add(-e.after-30*24*time.Hour), admin.ID, room.ID)
			own, rests := endQueues[e.name()]
			for _, queue := range job.ServableTaskQueues() {
				if rests == (queue == own) {
					require.NoError(t, s.PauseQueue(t.Context(), admin.ID, queue))
				}
			}
			if rests {
				require.Empty(t, endOverdue(t, s))
				require.NoError(t, s.ResumeQueue(t.Context(), admin.ID, own))
				require.Empty(t, endOverdue(t, s), "it has the time of a new one from now on")
				for _, table := range []string{"mail_pauses", "queue_pauses"} {
					execute(t, s, "UPDATE "+table+" SET resumed_at = ?", now.Add(-e.after))
				}
			}
			require.Equal(t, map[string]int{e.name(): 1}, endOverdue(t, s))
			for _, table := range []string{"mail_pauses", "queue_pauses", "outbox"} {
				execute(t, s, "DELETE FROM "+table)
			}
		})
	}
}

// TestLateWorkflows: a workflow that comes after its row has ended finds that out, and changes nothing.
func TestLateWorkflows(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newAdmin(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	age := func(table string) { execute(t, s, "UPDATE "+table+" SET updated_at = now() - interval '8 d'") }

	t.Run("of an email", func(t *testing.T) {
		id := queueWelcome(t, s, "bob")
		attempt := beginAttempt(t, s, id)
		execute(t, s, "UPDATE email_attempts SET created_at = now() - interval '8 d'")
		age("emails")
		endOverdue(t, s)
		before := readEmail(t, s, id)
		require.Equal(t, watchparty.EmailFailed, before.State)
		require.Zero(t, beginAttempt(t, s, id))
		require.NoError(t, s.MarkEmailFailed(t.Context(), id))
		recordAttempt(t, s, id, watchparty.EmailOutcomeTemporary, "450 not now")
		require.Equal(t, before, readEmail(t, s, id))
		require.NoError(t, s.MarkEmailSent(t.Context(), id, attempt))
		require.Equal(t, watchparty.EmailSent, readEmail(t, s, id).State, "the server has it after all")
		require.Empty(t, readEmail(t, s, id).Reason)
		require.Equal(t, "sent", readValue[string](t, s, "SELECT outcome FROM email_attempts WHERE email_id = ?", id))
	})

	t.Run("of an upload", func(t *testing.T) {
		version, err := s.NextAvatarVersion(t.Context(), ada.ID)
		require.NoError(t, err)
		_, err = s.CreateAvatar(t.Context(), ada.ID, version)
		require.NoError(t, err)
		age("avatars")
		endOverdue(t, s)
		upload, err := s.BeginAvatar(t.Context(), ada.ID, version)
		require.NoError(t, err)
		require.Equal(t, watchparty.AvatarFailed, upload.State)
		require.NoError(t, s.MarkAvatarRendered(t.Context(), ada.ID, version, []string{"thumbnail.webp"}))
		state, err := s.PublishAvatar(t.Context(), ada.ID, version)
		require.NoError(t, err)
		require.Equal(t, watchparty.AvatarFailed, state)
		require.Zero(t, readValue[int](t, s, "SELECT avatar_version FROM users WHERE id = ?", ada.ID))
	})

	t.Run("of a run", func(t *testing.T) {
		for _, begun := range []bool{true, false} {
			run, err := s.CreateRun(t.Context(), ada.ID, watchparty.NewRun{Policies: watchparty.Policies()}, IdempotencyKey{})
			require.NoError(t, err)
			in := job.CleanupInput{RunID: run.ID, Policies: run.Policies}
			if begun {
				require.NoError(t, s.BeginRun(t.Context(), in, run.WorkflowID))
			}
			age("cleanup_runs")
			endOverdue(t, s)
			before, err := s.Run(t.Context(), run.ID)
			require.NoError(t, err)
			require.Equal(t, watchparty.RunFailed, before.State)
			require.NoError(t, s.BeginRun(t.Context(), in, run.WorkflowID))
			postMessage(t, s, room, ada, "hello")
			require.Zero(t, drainPolicy(t, s, run.ID, watchparty.PolicyMessages, time.Now().Add(time.Hour)))
			after, err := s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID})
			require.NoError(t, err)
			require.Equal(t, before, after)
			require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM reports WHERE run_id = ?", run.ID))
		}
	})

	t.Run("of a run that was told to stop", func(t *testing.T) {
		run := newRun(t, s, ada, false)
		_, err := s.CancelRun(t.Context(), ada.ID, run.ID)
		require.NoError(t, err)
		age("cleanup_runs")
		endOverdue(t, s)
		run, err = s.Run(t.Context(), run.ID)
		require.NoError(t, err)
		require.Equal(t, watchparty.RunCancelled, run.State)
	})

	t.Run("of an invitation", func(t *testing.T) {
		invited := createInvitation(t, s, room, ada, "guest@example.org")
		expireInvitation(t, s, invited)
		endOverdue(t, s)
		state, err := s.ExpireInvitation(t.Context(), invited.ID)
		require.NoError(t, err)
		require.Equal(t, watchparty.InvitationExpired, state)
	})

	t.Run("of a deletion", func(t *testing.T) {
		cat := newUser(t, s, "cat")
		err := s.DeleteAccount(t.Context(), cat.ID, "hash of cat")
		require.NoError(t, err)
		execute(t, s, "UPDATE users SET deleted_at = now() - interval '15 d' WHERE id = ?", cat.ID)
		require.Equal(t, map[string]int{"users deleted_at": 1}, endOverdue(t, s))
		require.Empty(t, endOverdue(t, s), "once a week")
		execute(t, s, "UPDATE users SET deleted_at = deleted_at - interval '7 d' WHERE id = ?", cat.ID)
		endOverdue(t, s)
		var asked []string
		require.NoError(t, s.db.NewRaw("SELECT workflow_id FROM outbox WHERE input->>'user_id' = ? ORDER BY id", cat.ID).
			Scan(t.Context(), &asked))
		first := "account-deletion/" + cat.ID
		require.Equal(t, []string{first, first + "/2", first + "/3"}, asked[len(asked)-3:])
		for range 2 {
			err := s.RemoveAccount(t.Context(), cat.ID)
			require.NoError(t, err)
		}
		execute(t, s, "DELETE FROM outbox")
		require.Empty(t, endOverdue(t, s))
	})
}

// TestEndingAtOnce: whatever many processes end together, each row ends once.
func TestEndingAtOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	user := newUser(t, s, "ada")
	room := newRoom(t, s, user, nil)
	execute(t, s, "DELETE FROM outbox")
	const rows, processes = 20, 8
	for _, e := range timeLimits {
		for range rows {
			id := newID()
			execute(t, s, losses[e.name()].insert, id, time.Now().Add(-e.after-time.Hour), user.ID, room.ID)
		}
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		total = map[string]int{}
	)
	for range processes {
		wg.Go(func() {
			ended, err := s.EndOverdue(t.Context())
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			for name, n := range ended {
				total[name] += n
			}
		})
	}
	wg.Wait()
	for name, n := range endOverdue(t, s) { // what one has passed by since another held it
		total[name] += n
	}
	for _, e := range timeLimits {
		require.Equal(t, rows, total[e.name()], e.name())
	}
	require.Equal(t, 2*rows, countRows(t, s, "reports"))
	require.Equal(t, rows, readValue[int](t, s, "SELECT count(*) FROM outbox WHERE workflow_id LIKE 'account-deletion/%'"))
}

// TestWhatTheHostLearns: the host sees the code of how an invitation's email has ended, but not that an address has
// opted out.
func TestWhatTheHostLearns(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newAdmin(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	execute(t, s, "UPDATE emails SET state = 'sent'")
	learn := func(invited watchparty.Invitation) watchparty.Delivery {
		listed, err := s.Invitations(t.Context(), room.ID, "", Page{Limit: 100})
		require.NoError(t, err)
		at := slices.IndexFunc(listed, func(i watchparty.Invitation) bool { return i.ID == invited.ID })
		return listed[at].Delivery.ForSender()
	}
	emailOfInvitation := func(invited watchparty.Invitation) string {
		return readValue[string](t, s, "SELECT id FROM emails WHERE subject_id = ? ORDER BY id DESC LIMIT 1", invited.ID)
	}
	delivery := func(state watchparty.EmailState, why watchparty.EmailReason) watchparty.Delivery {
		return watchparty.Delivery{State: state, Reason: why}
	}
	n := 0
	fresh := func() watchparty.Invitation {
		n++
		return createInvitation(t, s, room, ada, fmt.Sprintf("guest%d@example.org", n))
	}

	invited := fresh()
	email := emailOfInvitation(invited)
	require.Equal(t, delivery(watchparty.EmailQueued, ""), learn(invited))
	attempt := beginAttempt(t, s, email)
	require.Equal(t, delivery(watchparty.EmailSending, ""), learn(invited))
	_, err := s.RecordEmailAttempt(t.Context(), email, attempt, EmailRefusal{Outcome: watchparty.EmailOutcomeTemporary,
		Reason: watchparty.ReasonMailboxFull, Answer: "452 4.2.2 guest is over quota on mx7.internal"})
	require.NoError(t, err)
	require.Equal(t, delivery(watchparty.EmailSending, watchparty.ReasonMailboxFull), learn(invited))
	require.NoError(t, s.MarkEmailFailed(t.Context(), email))
	require.Equal(t, delivery(watchparty.EmailFailed, watchparty.ReasonMailboxFull), learn(invited))
	again, err := s.ResendEmail(t.Context(), ada.ID, email, IdempotencyKey{})
	require.NoError(t, err)
	require.Equal(t, delivery(watchparty.EmailQueued, ""), learn(invited), "of the newest one")
	require.NoError(t, s.MarkEmailSent(t.Context(), again.ID, beginAttempt(t, s, again.ID)))
	require.Equal(t, delivery(watchparty.EmailSent, ""), learn(invited))
	execute(t, s, "DELETE FROM emails WHERE subject_id = ?", invited.ID)
	require.Equal(t, delivery("", ""), learn(invited), "it is not kept any more")

	silent := fresh()
	require.NoError(t, s.MarkEmailFailed(t.Context(), emailOfInvitation(silent)))
	require.Equal(t, delivery(watchparty.EmailFailed, watchparty.ReasonServerUnreachable), learn(silent),
		"no attempt said why")
	expireInvitation(t, s, silent)
	endOverdue(t, s)
	require.Equal(t, watchparty.InvitationExpired, stateOf(t, s, silent), "whose email failed ends by its time")

	cancelled := fresh()
	_, err = s.CancelEmail(t.Context(), ada.ID, emailOfInvitation(cancelled))
	require.NoError(t, err)
	require.Equal(t, delivery(watchparty.EmailCancelled, watchparty.ReasonCancelled), learn(cancelled))

	ended := fresh()
	email = emailOfInvitation(ended)
	require.NoError(
		t,
		s.CancelUndeliverableEmail(t.Context(), email, beginAttempt(t, s, email), watchparty.ReasonRoomEnded),
	)
	require.Equal(
		t, delivery(watchparty.EmailCancelled, watchparty.ReasonCancelled), learn(ended), "only admins learn why",
	)

	unwanted := fresh()
	email = emailOfInvitation(unwanted)
	require.NoError(
		t,
		s.CancelUndeliverableEmail(t.Context(), email, beginAttempt(t, s, email), watchparty.ReasonOptedOut),
	)
	require.Equal(t, delivery(watchparty.EmailSent, ""), learn(unwanted))
	require.Equal(t, unwanted.ID, createInvitation(t, s, room, ada, strings.ToUpper(unwanted.Email)).ID,
		"as of one that was sent")
	require.Equal(t, watchparty.ReasonOptedOut, readEmail(t, s, email).Reason, "admins see it")
}
