package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/playback"
	"github.com/watchparty/watchparty/workflows/job"
)

// operation is a call of one method of the store, prepared on the people and the room of a cast.
type operation func(ctx context.Context) error

// writes are the operations that lock or change rows. A key is a method of the store, with a variant after a space. All
// of them are about one room and its people, so that any two of them meet at the same rows. Operations that entering
// has are not repeated here; see writeTable.
var writes = map[string]func(c *cast) operation{
	"DeleteAccount": func(c *cast) operation {
		return func(ctx context.Context) error {
			return c.s.DeleteAccount(ctx, c.holder.ID, "hash of "+c.holder.Username)
		}
	},
	"DeleteAccount of the deputy": func(c *cast) operation {
		return func(ctx context.Context) error {
			return c.s.DeleteAccount(ctx, c.deputy.ID, "hash of "+c.deputy.Username)
		}
	},
	"RemoveAccount": func(c *cast) operation {
		return func(ctx context.Context) error {
			err := c.s.DeleteAccount(ctx, c.guest.ID, "hash of "+c.guest.Username)
			return errors.Join(err, c.s.RemoveAccount(ctx, c.guest.ID))
		}
	},
	"AnonymiseMessages": func(c *cast) operation {
		return func(ctx context.Context) error {
			err := c.s.DeleteAccount(ctx, c.guest.ID, "hash of "+c.guest.Username)
			return errors.Join(err, second(c.s.AnonymiseMessages(ctx, c.guest.ID, 10)))
		}
	},
	"AdvanceParty": func(c *cast) operation {
		party := c.dueParty()
		return func(ctx context.Context) error {
			_, _, err := c.s.AdvanceParty(ctx, party.ID)
			return err
		}
	},
	"SweepParties": func(c *cast) operation {
		c.dueParty()
		return func(ctx context.Context) error { return second(c.s.SweepParties(ctx, 10)) }
	},
	"QueuePartyNotices": func(c *cast) operation {
		party := c.dueParty()
		in := job.PartyNoticesInput{PartyID: party.ID, Kind: watchparty.NoticeHour, Moves: c.moves(party)}
		return func(ctx context.Context) error {
			_, _, err := c.s.QueuePartyNotices(ctx, in, nobody)
			return err
		}
	},
	"JoinRoom again": func(c *cast) operation {
		return func(ctx context.Context) error { return second(c.s.JoinRoom(ctx, c.room.ID, c.holder.ID)) }
	},
	"LeaveRoom by the holder": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.LeaveRoom(ctx, c.room.ID, c.holder.ID) }
	},
	"QuitRoom by the holder": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.QuitRoom(ctx, c.room.ID, c.holder.ID) }
	},
	"AcceptInvitation to the room": func(c *cast) operation {
		i := createInvitation(c.t, c.s, c.room, c.holder, c.root.Username+"@elsewhere.example.org")
		return func(ctx context.Context) error { return second(c.s.AcceptInvitation(ctx, i.ID, c.root.ID)) }
	},
	"DeclineInvitation": func(c *cast) operation {
		i := createInvitation(c.t, c.s, c.room, c.holder, c.holder.Username+"-declines@example.org")
		return func(ctx context.Context) error { return c.s.DeclineInvitation(ctx, i.ID) }
	},
	"AcceptMyInvitation to the room": func(c *cast) operation {
		i := createInvitation(c.t, c.s, c.room, c.host, c.root.Email)
		return func(ctx context.Context) error { return second(c.s.AcceptMyInvitation(ctx, i.ID, c.root.ID)) }
	},
	"DeclineMyInvitation": func(c *cast) operation {
		i := createInvitation(c.t, c.s, c.room, c.host, c.guest.Email)
		return func(ctx context.Context) error { return c.s.DeclineMyInvitation(ctx, i.ID, c.guest.ID) }
	},
	"ExpireInvitation": func(c *cast) operation {
		i := createInvitation(c.t, c.s, c.room, c.holder, c.holder.Username+"-expires@example.org")
		expireInvitation(c.t, c.s, i)
		return func(ctx context.Context) error { return second(c.s.ExpireInvitation(ctx, i.ID)) }
	},
	"OptOut": func(c *cast) operation {
		i := createInvitation(c.t, c.s, c.room, c.holder, c.holder.Username+"-out@example.org")
		return func(ctx context.Context) error { return c.s.OptOut(ctx, i.ID) }
	},
	"OptIn": func(c *cast) operation {
		i := createInvitation(c.t, c.s, c.room, c.holder, c.holder.Username+"-in@example.org")
		return func(ctx context.Context) error { return c.s.OptIn(ctx, i.ID) }
	},
	"OptedOut": func(c *cast) operation {
		return func(ctx context.Context) error {
			return second(c.s.OptedOut(ctx, c.holder.Username+"-out@example.org"))
		}
	},
	"UpdateRoom to private": func(c *cast) operation {
		visibility, movie := watchparty.Private, addMovie(c.t, c.s, "Movie of "+c.holder.Username)
		execute(c.t, c.s, "UPDATE rooms SET visibility = 'public' WHERE id = ?", c.room.ID)
		return func(ctx context.Context) error {
			change := watchparty.RoomChange{Visibility: &visibility, MovieID: &movie}
			return second(c.s.UpdateRoom(ctx, c.room.ID, c.host.ID, change, nil))
		}
	},
	"UpdateRoom archives": func(c *cast) operation {
		return func(ctx context.Context) error {
			return second(c.s.UpdateRoom(ctx, c.room.ID, c.host.ID, watchparty.RoomChange{Archived: ptr(true)}, nil))
		}
	},
	"DeleteRoom of the host": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.DeleteRoom(ctx, c.room.ID, c.host.ID, nil) }
	},
	"CloseRoom": func(c *cast) operation {
		report := newReport(c.t, c.s, c.guest, watchparty.NewAbuseReport{Kind: watchparty.AbuseSpam, RoomID: c.room.ID})
		return func(ctx context.Context) error {
			why := watchparty.Moderation{Reason: "spam", ReportID: report.ID}
			return second(c.s.CloseRoom(ctx, c.root.ID, c.room.ID, why))
		}
	},
	"ReopenRoom": func(c *cast) operation {
		return func(ctx context.Context) error { return second(c.s.ReopenRoom(ctx, c.holder.ID, c.room.ID, "sorry")) }
	},
	"RestoreRoom": func(c *cast) operation {
		return func(ctx context.Context) error { return second(c.s.RestoreRoom(ctx, c.holder.ID, c.room.ID)) }
	},
	"NoteRoomRead": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.NoteRoomRead(ctx, c.holder.ID, c.room.ID) }
	},
	"RemoveMessage": func(c *cast) operation {
		m := postMessage(c.t, c.s, c.room, c.guest, "spam")
		report := newReport(c.t, c.s, c.deputy, watchparty.NewAbuseReport{Kind: watchparty.AbuseSpam, MessageID: m.ID})
		return func(ctx context.Context) error {
			why := watchparty.Moderation{Reason: "spam", ReportID: report.ID}
			return c.s.RemoveMessage(ctx, c.holder.ID, m.ID, why)
		}
	},
	"PostMessage in a quiet room": func(c *cast) operation {
		execute(c.t, c.s, "UPDATE rooms SET last_active_at = now() - interval '1 h' WHERE id = ?", c.room.ID)
		return func(ctx context.Context) error {
			n := watchparty.NewMessage{RoomID: c.room.ID, Body: "hello"}
			key := IdempotencyKey{Hash: []byte(newID()), Fingerprint: []byte("hello")}
			return second(c.s.PostMessage(ctx, c.guest, n, key))
		}
	},
	"SetRole of the guest": func(c *cast) operation {
		return func(context.Context) error { return c.setRole(c.host, c.guest, watchparty.Moderator) }
	},
	"Kick of the holder": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.Kick(ctx, c.room.ID, c.host.ID, c.holder.Username) }
	},
	"SuspendUser": func(c *cast) operation {
		report := newReport(c.t, c.s, c.root, watchparty.NewAbuseReport{Kind: watchparty.AbuseSpam,
			Username: c.holder.Username})
		return func(ctx context.Context) error {
			why := watchparty.Suspension{Reason: "spam", HideContent: true, ReportID: report.ID}
			return second(c.s.SuspendUser(ctx, c.root.ID, c.holder.ID, why))
		}
	},
	"SuspendUser back": func(c *cast) operation {
		return func(ctx context.Context) error {
			return second(c.s.SuspendUser(ctx, c.holder.ID, c.root.ID, watchparty.Suspension{Reason: "spam"}))
		}
	},
	"ReinstateUser": func(c *cast) operation {
		return func(ctx context.Context) error { return second(c.s.ReinstateUser(ctx, c.root.ID, c.holder.ID)) }
	},
	"EndUserSessions": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.EndUserSessions(ctx, c.root.ID, c.holder.ID) }
	},
	"EndUserSession": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.EndUserSession(ctx, c.root.ID, c.holder.ID, c.session) }
	},
	"RevokeAdmin": func(c *cast) operation {
		return func(ctx context.Context) error { return second(c.s.RevokeAdmin(ctx, c.holder.Email)) }
	},
	"RevokeAdminOf": func(c *cast) operation {
		return func(ctx context.Context) error { return second(c.s.RevokeAdminOf(ctx, c.holder.ID, c.root.ID)) }
	},
	"RevokeAdminOf back": func(c *cast) operation {
		return func(ctx context.Context) error { return second(c.s.RevokeAdminOf(ctx, c.root.ID, c.holder.ID)) }
	},
	"AuditSchedule": func(c *cast) operation {
		return func(ctx context.Context) error {
			return c.s.AuditSchedule(ctx, c.holder.ID, "cleanup", watchparty.AuditSchedulePaused, nil,
				func(context.Context) error { return nil })
		}
	},
	"ResolveAbuseReport": func(c *cast) operation {
		n := watchparty.NewAbuseReport{Kind: watchparty.AbuseSpam, Username: c.host.Username}
		report := newReport(c.t, c.s, c.holder, n)
		return func(ctx context.Context) error {
			r := watchparty.Resolution{Outcome: watchparty.AbuseActed, Note: c.holder.Username + " was right"}
			return second(c.s.ResolveAbuseReport(ctx, c.holder.ID, report.ID, r))
		}
	},
	"BeginAvatar": func(c *cast) operation {
		version := uploadAvatar(c.t, c.s, c.holder)
		return func(ctx context.Context) error {
			return errors.Join(second(c.s.BeginAvatar(ctx, c.holder.ID, version)),
				c.s.RenderedAvatar(ctx, c.holder.ID, version, []string{"a"}))
		}
	},
	"RenderedAvatar": func(c *cast) operation {
		version := uploadAvatar(c.t, c.s, c.holder)
		return func(ctx context.Context) error { return c.s.RenderedAvatar(ctx, c.holder.ID, version, []string{"a"}) }
	},
	"FailAvatar": func(c *cast) operation {
		version := uploadAvatar(c.t, c.s, c.holder)
		return func(ctx context.Context) error { return c.s.FailAvatar(ctx, c.holder.ID, version, "broken") }
	},
	"RemoveAvatar": func(c *cast) operation {
		publishAvatar(c.t, c.s, c.holder, uploadAvatar(c.t, c.s, c.holder))
		return func(ctx context.Context) error { return c.s.RemoveAvatar(ctx, c.holder.ID) }
	},
	"RevokeSession": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.RevokeSession(ctx, c.token) }
	},
	"EndSession": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.EndSession(ctx, c.holder.ID, c.session) }
	},
	"EndSessions": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.EndSessions(ctx, c.holder.ID, "") }
	},
	"RenewHash": func(c *cast) operation {
		hash := "hash of " + c.holder.Username
		return func(ctx context.Context) error { return second(c.s.RenewHash(ctx, c.holder.ID, hash, hash)) }
	},
	"CreateUser": func(c *cast) operation {
		return func(ctx context.Context) error {
			return second(c.s.CreateUser(WithClient(ctx, "192.0.2.1"), registration("a"+c.holder.Username), "hash"))
		}
	},
	"CreateSignedInUser": func(c *cast) operation {
		return func(ctx context.Context) error {
			n := NewSession{TokenHash: []byte(newID()), TTL: time.Hour, Client: []byte("a client")}
			return second(c.s.CreateSignedInUser(WithClient(ctx, "192.0.2.1"), registration("b"+c.holder.Username), "hash", n,
				IdempotencyKey{}))
		}
	},
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
	"DropEmail": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		return func(ctx context.Context) error { return c.s.DropEmail(ctx, id, 1, watchparty.ReasonCancelled) }
	},
	"MarkEmailFailed": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		return func(ctx context.Context) error { return c.s.MarkEmailFailed(ctx, id) }
	},
	"RecordEmailAttempt": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		return func(ctx context.Context) error {
			return second(c.s.RecordEmailAttempt(ctx, id, 1, EmailRefusal{Outcome: watchparty.AttemptTemporary}))
		}
	},
	"ResendEmail": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		execute(c.t, c.s, "UPDATE emails SET state = 'failed' WHERE id = ?", id)
		return func(ctx context.Context) error {
			return second(c.s.ResendEmail(ctx, c.holder.ID, id, watchparty.AdminNote{}, IdempotencyKey{}))
		}
	},
	"ResendEmailOfJob": func(c *cast) operation {
		execute(c.t, c.s, "UPDATE emails SET state = 'failed' WHERE id = ?",
			emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID))
		return func(ctx context.Context) error {
			workflowID := job.WelcomeEmailID(c.holder.ID)
			return second(c.s.ResendEmailOfJob(ctx, c.holder.ID, workflowID, watchparty.AdminNote{}))
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
			return c.s.PauseQueue(ctx, c.holder.ID, job.TaskQueueAvatar, watchparty.AdminNote{})
		}
	},
	"ResumeQueue": func(c *cast) operation {
		return func(ctx context.Context) error {
			return c.s.ResumeQueue(ctx, c.holder.ID, job.TaskQueueAvatar, watchparty.AdminNote{})
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
			_, _, err := c.s.EndWebhookAttempt(ctx, work, WebhookResult{Outcome: watchparty.AttemptWebhookGone, Status: 410})
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
			return second(c.s.RequeueEvent(ctx, c.holder.ID, id, watchparty.AdminNote{}))
		}
	},
	"CancelEmail": func(c *cast) operation {
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		execute(c.t, c.s, "UPDATE emails SET state = 'queued' WHERE id = ?", id)
		return func(ctx context.Context) error {
			return second(c.s.CancelEmail(ctx, c.holder.ID, id, watchparty.AdminNote{}))
		}
	},
	"ResumeEmails": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.ResumeEmails(ctx, c.holder.ID, watchparty.AdminNote{}) }
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
	"RunAgain": func(c *cast) operation {
		run := newRun(c.t, c.s, c.holder, false)
		return func(ctx context.Context) error {
			return second(c.s.RunAgain(ctx, c.holder.ID, job.CleanupID(run.ID), watchparty.Policies(), watchparty.AdminNote{}))
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
	"RenewLease": func(c *cast) operation {
		node, _ := c.connect(c.guest)
		return func(ctx context.Context) error { return c.s.RenewLease(ctx, node) }
	},
	"EndLease": func(c *cast) operation {
		node, _ := c.connect(c.guest)
		return func(ctx context.Context) error { return c.s.EndLease(ctx, node) }
	},
	"EndLapsedLeases": func(c *cast) operation {
		node, _ := c.connect(c.guest)
		execute(c.t, c.s, "UPDATE live_nodes SET lease_until = now() - interval '1 h' WHERE id = ?", node)
		return func(ctx context.Context) error { return c.s.EndLapsedLeases(ctx) }
	},
	"RestoreMembers": func(c *cast) operation {
		node, conn := c.connect(c.guest)
		execute(c.t, c.s, "DELETE FROM live_members WHERE conn_id = ?", conn)
		connections := []LiveConnection{{conn, c.room.ID, c.guest.ID}, {newID(), c.room.ID, c.host.ID}}
		return func(ctx context.Context) error { return c.s.RestoreMembers(ctx, node, connections) }
	},
	"Dismiss": func(c *cast) operation {
		node, conn := c.connect(c.guest)
		return func(ctx context.Context) error { return second(c.s.Dismiss(ctx, node, []string{conn})) }
	},
	"ReportPlayers": func(c *cast) operation {
		_, conn := c.connect(c.guest)
		return func(ctx context.Context) error {
			cue := readValue[int64](c.t, c.s, "SELECT coalesce(max(cue), 1) FROM playbacks WHERE room_id = ?", c.room.ID)
			return second(c.s.ReportPlayers(ctx, c.room.ID, []MemberReport{{ConnID: conn, StalledCue: cue}}))
		}
	},
	"KeepPresent": func(c *cast) operation {
		node, _ := c.connect(c.guest)
		execute(c.t, c.s, "UPDATE participants SET last_seen_at = now() - interval '1 h' WHERE room_id = ?", c.room.ID)
		return func(ctx context.Context) error { return second(c.s.KeepPresent(ctx, node, time.Minute)) }
	},
	"Tick": func(c *cast) operation {
		c.loadItem()
		return func(ctx context.Context) error {
			revision := readValue[int64](c.t, c.s, "SELECT revision FROM playbacks WHERE room_id = ?", c.room.ID)
			_, _, err := c.s.Tick(ctx, c.room.ID, revision)
			return err
		}
	},
	"SetClock": func(c *cast) operation {
		c.loadItem()
		return func(ctx context.Context) error {
			revision := readValue[int64](c.t, c.s, "SELECT revision FROM playbacks WHERE room_id = ?", c.room.ID)
			_, _, err := c.s.SetClock(ctx, c.room.ID, revision, time.Second)
			return err
		}
	},
	"SweepPlaybacks": func(c *cast) operation {
		c.loadItem()
		execute(c.t, c.s, "UPDATE playbacks SET attended_at = now() - interval '1 h' WHERE room_id = ?", c.room.ID)
		return func(ctx context.Context) error { return second(c.s.SweepPlaybacks(ctx, 10)) }
	},
	"ApplyPlaybackCommand skips": func(c *cast) operation {
		c.loadItem()
		c.addItem()
		return func(ctx context.Context) error {
			skip := newCommand(playback.Skip)
			skip.Epoch = readValue[int64](c.t, c.s, "SELECT epoch FROM playbacks WHERE room_id = ?", c.room.ID)
			return second(c.s.ApplyPlaybackCommand(ctx, c.room.ID, c.identity(), skip, watchparty.Source{}))
		}
	},
	"RemoveFromQueue of what plays": func(c *cast) operation {
		item := c.loadItem()
		return func(ctx context.Context) error {
			return second(c.s.RemoveFromQueue(ctx, c.room.ID, c.identity(), item))
		}
	},
	"EndOverdue": func(c *cast) operation {
		i := createInvitation(c.t, c.s, c.room, c.holder, c.holder.Username+"-overdue@example.org")
		expireInvitation(c.t, c.s, i)
		return func(ctx context.Context) error { return second(c.s.EndOverdue(ctx)) }
	},
}

var webhookOfRooms = watchparty.NewWebhook{
	URL: "https://hooks.example", Kinds: []watchparty.WebhookKind{watchparty.WebhookRoomOpened},
}

// giveDelivery makes a webhook with a delivery that waits, and returns their IDs.
func giveDelivery(c *cast) (hook, delivery string) {
	hook, delivery = newID(), newID()
	execute(
		c.t,
		c.s,
		"INSERT INTO webhooks (id, url, kinds, secret) VALUES (?, 'https://hooks.example', '{room.opened}', ?)",
		hook,
		c.s.sealer.Seal(sealedFor, hook, []byte("key")),
	)
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

// writeTable are all operations that write: writes, those of entering, and each policy of clean-up.
func writeTable() map[string]func(c *cast) operation {
	all := map[string]func(c *cast) operation{}
	for name, prepare := range writes {
		all[name] = prepare
	}
	for name, prepare := range entering {
		all[name] = func(c *cast) operation { return prepare(c) }
	}
	for _, policy := range tablePolicies() {
		all["CleanupBatch of "+string(policy)] = cleanUp(policy)
	}
	return all
}

// coverPairs makes groups of names, so that any two of them are together in some group.
func coverPairs(names []string, size int) (groups [][]string) {
	type pair [2]string
	missing := map[pair]bool{}
	for _, a := range names {
		for _, b := range names {
			missing[pair{a, b}] = a != b
		}
	}
	gain := func(group []string, name string) (n int) {
		if slices.Contains(group, name) {
			return 0
		}
		for _, other := range group {
			if missing[pair{name, other}] {
				n++
			}
		}
		return n
	}
	for {
		var group []string
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names { // begin with a pair that is missing
			if i := slices.IndexFunc(names, func(other string) bool { return missing[pair{name, other}] }); i >= 0 {
				group = []string{name, names[i]}
				break
			}
		}
		if group == nil {
			return groups
		}
		for len(group) < size {
			best := slices.MaxFunc(names, func(a, b string) int { return gain(group, a) - gain(group, b) })
			if gain(group, best) == 0 {
				break
			}
			group = append(group, best)
		}
		for _, a := range group {
			for _, b := range group {
				missing[pair{a, b}] = false
			}
		}
		groups = append(groups, group)
	}
}

// deadlocks counts the statements that Postgres ended because of a deadlock.
type deadlocks struct {
	n          atomic.Int64
	statements sync.Map
}

func (d *deadlocks) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (d *deadlocks) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	var answer pgdriver.Error
	if errors.As(e.Err, &answer) && answer.Field('C') == codeDeadlockDetected {
		d.n.Add(1)
		d.statements.Store(e.Query+"\n"+answer.Field('D')+"\n"+answer.Field('W'), true)
	}
}

// TestNoDeadlocks runs any two operations that write at the same time, on the same room and people. It demands that
// Postgres ends none of them because of a deadlock: all take their locks in the order that doc.go gives. Besides, none
// cancels a party in silence. LOCK_ROUNDS=n repeats it n times.
func TestNoDeadlocks(t *testing.T) {
	t.Parallel()
	const groupSize = 32
	s, err := Open(config.Database{URL: stacktest.MigratedURL(t) + "&deadlock_timeout=50ms", MaxConns: groupSize,
		StatementTimeout: time.Minute},
		auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	s.LimitEmails(1000)
	seen := &deadlocks{}
	s.DB().AddQueryHook(seen)
	table := writeTable()
	var names []string
	for name := range table {
		names = append(names, name)
	}
	cancelled := 0
	rounds, _ := strconv.Atoi(os.Getenv("LOCK_ROUNDS"))
	for range max(rounds, 1) {
		groups := coverPairs(names, groupSize)
		for _, group := range groups {
			runTogether(t, s, table, group)
			cancelled += readValue[int](t, s, "SELECT count(*) FROM parties WHERE state = 'cancelled'")
			require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM parties WHERE "+untold), group)
		}
		t.Logf("%d operations in %d groups", len(names), len(groups))
	}
	require.NotZero(t, cancelled, "parties that were cancelled")
	seen.statements.Range(func(statement, _ any) bool {
		t.Log(statement)
		return true
	})
	require.Zero(t, seen.n.Load(), "deadlocks")
}

// resetCast gives everybody of a cast their first role back, and makes all but the guest admins.
func resetCast(c *cast) {
	execute(c.t, c.s, `
		UPDATE users SET email_verified_at = coalesce(email_verified_at, now()), is_admin = id <> ?3 WHERE id IN (?0, ?1, ?2, ?3, ?4);
		DELETE FROM bans WHERE room_id = ?5;
		DELETE FROM mutes WHERE room_id = ?5;
		INSERT INTO members (room_id, user_id, role) VALUES (?5, ?1, 'moderator'), (?5, ?2, 'moderator'), (?5, ?3, 'viewer')
			ON CONFLICT (room_id, user_id) DO UPDATE SET role = excluded.role;
		INSERT INTO participants (room_id, user_id) VALUES (?5, ?0), (?5, ?1), (?5, ?2), (?5, ?3) ON CONFLICT DO NOTHING`,
		c.host.ID, c.holder.ID, c.deputy.ID, c.guest.ID, c.root.ID, c.room.ID)
}

// runTogether prepares operations on one cast and runs them at the same moment.
func runTogether(t *testing.T, s *Store, table map[string]func(c *cast) operation, group []string) {
	t.Helper()
	c := newCast(t, s, false)
	c.scheduleParty()
	// Preparations of clean-up change the cast, so that nothing can be prepared after them.
	group = slices.Clone(group)
	slices.SortStableFunc(group, func(a, b string) int {
		return strings.Compare(strconv.FormatBool(strings.HasPrefix(a, "Cleanup")),
			strconv.FormatBool(strings.HasPrefix(b, "Cleanup")))
	})
	operations := map[string]operation{}
	for _, name := range group {
		resetCast(c)
		operations[name] = table[name](c)
	}
	start := make(chan struct{})
	var wg sync.WaitGroup
	for name, run := range operations {
		wg.Go(func() {
			<-start
			err := run(t.Context())
			var coded *watchparty.Error
			if err != nil && !errors.As(err, &coded) && !Unavailable(err) && !violates(err, "avatars_user_version_key") &&
				!errors.Is(err, errUntallied) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	close(start)
	wg.Wait()
}

// TestWriteTableKnowsEveryMethod fails for a new method of the store that is in no table: add it to writes, or to
// the methods that read in outside.
func TestWriteTableKnowsEveryMethod(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for name := range writeTable() {
		method, _, _ := strings.Cut(name, " ")
		known[method] = true
	}
	for _, method := range slices.Concat(outside["reads"], outside["is no query"]) {
		known[method] = true
	}
	of := reflect.TypeFor[*Store]()
	for i := range of.NumMethod() {
		if name := of.Method(i).Name; !strings.HasPrefix(name, "Export") {
			require.True(t, known[name], "%s: add it to writes, so that its locks are tested with those of all others", name)
		}
	}
}
