package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// adminAct is an act by an admin, ready to be carried out.
type adminAct func(adminID string) error

// adminActs prepare each act that the audit log knows.
var adminActs = map[watchparty.AuditAction]func(t *testing.T, s *Store) adminAct{
	watchparty.AuditUserSuspended: func(t *testing.T, s *Store) adminAct {
		user := newUser(t, s, "user")
		return func(by string) error {
			return second(s.SuspendUser(t.Context(), by, user.ID, watchparty.Suspension{Reason: "Spam"}))
		}
	},
	watchparty.AuditUserReinstated: func(t *testing.T, s *Store) adminAct {
		user := newUser(t, s, "user")
		execute(t, s, "UPDATE users SET suspended_at = now() WHERE id = ?", user.ID)
		return func(by string) error { return second(s.ReinstateUser(t.Context(), by, user.ID)) }
	},
	watchparty.AuditUserSessionsEnded: func(t *testing.T, s *Store) adminAct {
		user := newUser(t, s, "user")
		return func(by string) error { return s.EndUserSessions(t.Context(), by, user.ID) }
	},
	watchparty.AuditUserSessionEnded: func(t *testing.T, s *Store) adminAct {
		user := newUser(t, s, "user")
		session := readValue[string](t, s, "SELECT family_id FROM sessions WHERE token_hash = ?",
			signIn(t, s, user, time.Hour))
		return func(by string) error { return s.EndUserSession(t.Context(), by, user.ID, session) }
	},
	watchparty.AuditAdminGranted: func(t *testing.T, s *Store) adminAct {
		user := newUser(t, s, "user")
		confirmAddresses(t, s, user)
		return func(by string) error { return second(s.GrantAdminTo(t.Context(), by, user.ID)) }
	},
	watchparty.AuditAdminRevoked: func(t *testing.T, s *Store) adminAct {
		user := newAdmin(t, s, "user")
		return func(by string) error { return second(s.RevokeAdminOf(t.Context(), by, user.ID)) }
	},
	watchparty.AuditMovieCreated: func(t *testing.T, s *Store) adminAct {
		return func(by string) error { return second(s.CreateMovie(t.Context(), by, generalMovie, IdempotencyKey{})) }
	},
	watchparty.AuditMovieUpdated: func(t *testing.T, s *Store) adminAct {
		movie, title := newMovie(t, s, newAdmin(t, s, "curator"), generalMovie), "Our Hospitality"
		return func(by string) error {
			return second(s.UpdateMovie(t.Context(), by, movie.ID, watchparty.MovieChange{Title: &title}, nil))
		}
	},
	watchparty.AuditMovieDeleted: func(t *testing.T, s *Store) adminAct {
		movie := newMovie(t, s, newAdmin(t, s, "curator"), generalMovie)
		return func(by string) error { return s.DeleteMovie(t.Context(), by, movie.ID, nil) }
	},
	watchparty.AuditCleanupStarted: func(t *testing.T, s *Store) adminAct {
		return func(by string) error {
			return second(s.CreateRun(t.Context(), by, watchparty.NewRun{Policies: watchparty.Policies()}, IdempotencyKey{}))
		}
	},
	watchparty.AuditCleanupCancelled: func(t *testing.T, s *Store) adminAct {
		run := newRun(t, s, newAdmin(t, s, "curator"), false)
		return func(by string) error { return second(s.CancelRun(t.Context(), by, run.ID)) }
	},
	watchparty.AuditRoomRestored: func(t *testing.T, s *Store) adminAct {
		room := newRoom(t, s, newUser(t, s, "host"), nil)
		execute(t, s, "UPDATE rooms SET archived_at = now(), retired_at = now() WHERE id = ?", room.ID)
		return func(by string) error { return second(s.RestoreRoom(t.Context(), by, room.ID)) }
	},
	watchparty.AuditRoomClosed: func(t *testing.T, s *Store) adminAct {
		room := newRoom(t, s, newUser(t, s, "host"), nil)
		return func(by string) error {
			return second(s.CloseRoom(t.Context(), by, room.ID, watchparty.Moderation{Reason: "Spam"}))
		}
	},
	watchparty.AuditRoomReopened: func(t *testing.T, s *Store) adminAct {
		room := newRoom(t, s, newUser(t, s, "host"), nil)
		execute(t, s, "UPDATE rooms SET archived_at = now(), closed_at = now() WHERE id = ?", room.ID)
		return func(by string) error { return second(s.ReopenRoom(t.Context(), by, room.ID, "No spam")) }
	},
	watchparty.AuditPrivateRoomRead: func(t *testing.T, s *Store) adminAct {
		room := newRoom(t, s, newUser(t, s, "host"), makePrivate)
		return func(by string) error { return s.AuditRoomRead(t.Context(), by, room.ID) }
	},
	watchparty.AuditMessageRemoved: func(t *testing.T, s *Store) adminAct {
		host := newUser(t, s, "host")
		room := newRoom(t, s, host, nil)
		joinRoom(t, s, room, host)
		message := postMessage(t, s, room, host, "hello")
		return func(by string) error {
			return s.RemoveMessage(t.Context(), by, message.ID, watchparty.Moderation{Reason: "Spam"})
		}
	},
	watchparty.AuditReportResolved: func(t *testing.T, s *Store) adminAct {
		report := newReport(t, s, newUser(t, s, "user"), watchparty.NewAbuseReport{Username: newUser(t, s, "spammer").
			Username})
		return func(by string) error {
			return second(s.ResolveAbuseReport(t.Context(), by, report.ID,
				watchparty.Resolution{Outcome: watchparty.AbuseDismissed}))
		}
	},
	watchparty.AuditSchedulePaused:     onSchedule(watchparty.AuditSchedulePaused),
	watchparty.AuditScheduleResumed:    onSchedule(watchparty.AuditScheduleResumed),
	watchparty.AuditScheduleTriggered:  onSchedule(watchparty.AuditScheduleTriggered),
	watchparty.AuditScheduleBackfilled: onSchedule(watchparty.AuditScheduleBackfilled),
	watchparty.AuditEmailResent: func(t *testing.T, s *Store) adminAct {
		id := queueWelcome(t, s, "user")
		execute(t, s, "UPDATE emails SET state = 'sent' WHERE id = ?", id)
		return func(by string) error {
			return second(s.ResendEmail(t.Context(), by, id, IdempotencyKey{}))
		}
	},
	watchparty.AuditEmailCancelled: func(t *testing.T, s *Store) adminAct {
		id := queueWelcome(t, s, "user")
		return func(by string) error { return second(s.CancelEmail(t.Context(), by, id)) }
	},
	watchparty.AuditQueuePaused: func(t *testing.T, s *Store) adminAct {
		return func(by string) error { return s.PauseQueue(t.Context(), by, "avatar") }
	},
	watchparty.AuditQueueResumed: func(t *testing.T, s *Store) adminAct {
		require.NoError(t, s.PauseQueue(t.Context(), newAdmin(t, s, "curator").ID, "avatar"))
		return func(by string) error { return s.ResumeQueue(t.Context(), by, "avatar") }
	},
	watchparty.AuditEventRequeued: func(t *testing.T, s *Store) adminAct {
		queueWelcome(t, s, "ada")
		id := readValue[string](t, s, "SELECT id FROM outbox LIMIT 1")
		return func(by string) error { return second(s.RequeueEvent(t.Context(), by, id)) }
	},
	watchparty.AuditWebhookCreated: func(t *testing.T, s *Store) adminAct {
		return func(by string) error {
			return second(s.CreateWebhook(t.Context(), by, webhookOfRooms, IdempotencyKey{}))
		}
	},
	watchparty.AuditWebhookUpdated: onWebhook(func(ctx context.Context, s *Store, by, hook, _ string) error {
		description := "To the bot"
		return second(s.UpdateWebhook(ctx, by, hook, watchparty.WebhookChange{Description: &description}))
	}),
	watchparty.AuditWebhookSwitchedOff: onWebhook(func(ctx context.Context, s *Store, by, hook, _ string) error {
		return second(s.UpdateWebhook(ctx, by, hook, watchparty.WebhookChange{Enabled: new(bool)}))
	}),
	watchparty.AuditWebhookSwitchedOn: func(t *testing.T, s *Store) adminAct {
		hook, _ := giveDelivery(&cast{t: t, s: s})
		execute(t, s, "UPDATE webhooks SET off_at = now() WHERE id = ?", hook)
		on := true
		return func(by string) error {
			return second(s.UpdateWebhook(t.Context(), by, hook, watchparty.WebhookChange{Enabled: &on}))
		}
	},
	watchparty.AuditWebhookDeleted: onWebhook(func(ctx context.Context, s *Store, by, hook, _ string) error {
		return s.DeleteWebhook(ctx, by, hook)
	}),
	watchparty.AuditWebhookSecretRotated: onWebhook(func(ctx context.Context, s *Store, by, hook, _ string) error {
		return second(s.RotateWebhookSecret(ctx, by, hook, time.Hour))
	}),
	watchparty.AuditWebhookTested: onWebhook(func(ctx context.Context, s *Store, by, hook, _ string) error {
		return second(s.TestWebhook(ctx, by, hook))
	}),
	watchparty.AuditWebhookRedelivered: onWebhook(func(ctx context.Context, s *Store, by, _, delivery string) error {
		return second(s.RedeliverWebhook(ctx, by, delivery))
	}),
	watchparty.AuditWebhookReplayed: onWebhook(func(ctx context.Context, s *Store, by, hook, _ string) error {
		return second(s.ReplayWebhook(ctx, by, hook, time.Time{}))
	}),
	watchparty.AuditJobCancelled:  onJob(watchparty.AuditJobCancelled),
	watchparty.AuditJobTerminated: onJob(watchparty.AuditJobTerminated),
	watchparty.AuditJobRetried:    onJob(watchparty.AuditJobRetried),
}

// onWebhook is an act on a webhook with a delivery that has failed.
func onWebhook(
	act func(ctx context.Context, s *Store, by, hook, delivery string) error,
) func(*testing.T, *Store) adminAct {
	return func(t *testing.T, s *Store) adminAct {
		hook, delivery := giveDelivery(&cast{t: t, s: s})
		execute(t, s, "UPDATE webhook_deliveries SET state = 'failed', ended_at = now() WHERE id = ?", delivery)
		return func(by string) error { return act(t.Context(), s, by, hook, delivery) }
	}
}

func onJob(action watchparty.AuditAction) func(*testing.T, *Store) adminAct {
	return func(t *testing.T, s *Store) adminAct {
		return func(by string) error {
			err := s.AuditJob(t.Context(), by, JobAct{Action: action, WorkflowID: "cleanup/1"},
				func(context.Context) error { return errCarriedOut })
			if errors.Is(err, errCarriedOut) {
				return nil
			}
			return err
		}
	}
}

var generalMovie = watchparty.NewMovie{Title: "The General", Year: 1926, RuntimeMinutes: 78}

// errCarriedOut is what an act on a schedule fails with, so that it is told from one that was not tried.
var errCarriedOut = errors.New("carried out")

func onSchedule(action watchparty.AuditAction) func(*testing.T, *Store) adminAct {
	return func(t *testing.T, s *Store) adminAct {
		return func(by string) error {
			err := s.AuditSchedule(t.Context(), by, "report-daily", action, nil,
				func(context.Context) error { return errCarriedOut })
			if errors.Is(err, errCarriedOut) {
				return nil
			}
			return err
		}
	}
}

// TestAdminsActWithTheirRights: an act whose admin is revoked or suspended before it commits is refused, and leaves no
// entry; that of an admin is carried out and has one.
func TestAdminsActWithTheirRights(t *testing.T) {
	t.Parallel()
	for name, action := range constants(t, "..", "AuditAction", "") {
		prepare := adminActs[watchparty.AuditAction(action)]
		require.NotNil(t, prepare, "%s: say in adminActs how it is done", name)
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			s := openStore(t)
			admin, act := newAdmin(t, s, "admin"), prepare(t, s)
			newAdmin(t, s, "another")
			entries := func() int { return readValue[int](t, s, "SELECT count(*) FROM audit WHERE action = ?", action) }
			before := entries()
			for end, want := range map[string]error{
				"is_admin = false": watchparty.ErrForbidden, "email_verified_at = NULL": watchparty.ErrForbidden,
				"suspended_at = now()": watchparty.ErrUnauthenticated, "deleted_at = now()": watchparty.ErrUnauthenticated,
			} {
				execute(t, s, "UPDATE users SET "+end+" WHERE id = ?", admin.ID)
				require.ErrorIs(t, act(admin.ID), want, end)
				require.Equal(t, before, entries(), end)
				execute(t, s,
					"UPDATE users SET is_admin = true, email_verified_at = now(), suspended_at = NULL, deleted_at = NULL WHERE id = ?",
					admin.ID)
			}
			require.NoError(t, act(admin.ID))
			require.Equal(t, before+1, entries())
		})
	}
}

// TestAdminsEndTheirOwnRights: the audit log names an admin who revokes their own rights as the actor.
func TestAdminsEndTheirOwnRights(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	newAdmin(t, s, "another")
	after, err := s.RevokeAdminOf(t.Context(), admin.ID, admin.ID)
	require.NoError(t, err)
	require.False(t, after.Administers())
	require.Equal(t, "admin", readValue[string](t, s,
		"SELECT actor_username FROM audit WHERE action = 'admin_revoked' AND target_id = ?", admin.ID))
}
