package store

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// entering are the operations that store something in an account's name, or of it, by the store's methods. Each is
// prepared and then runs while the account is deleted or suspended. The account is the cast's holder.
var entering = map[string]func(c *cast) func(ctx context.Context) error{
	"JoinRoom": func(c *cast) func(context.Context) error {
		room := newRoom(c.t, c.s, c.host, nil)
		return func(ctx context.Context) error { return second(c.s.JoinRoom(ctx, room.ID, c.holder.ID)) }
	},
	"AcceptInvitation": func(c *cast) func(context.Context) error {
		i := createInvitation(c.t, c.s, newRoom(c.t, c.s, c.host, makePrivate), c.host,
			c.holder.Username+"@elsewhere.example.org")
		return func(ctx context.Context) error { return second(c.s.AcceptInvitation(ctx, i.ID, c.holder.ID)) }
	},
	"AcceptMyInvitation": func(c *cast) func(context.Context) error {
		i := createInvitation(c.t, c.s, newRoom(c.t, c.s, c.host, makePrivate), c.host, c.holder.Email)
		return func(ctx context.Context) error { return second(c.s.AcceptMyInvitation(ctx, i.ID, c.holder.ID)) }
	},
	"AcceptInvitation of the holder's": func(c *cast) func(context.Context) error {
		i, room := c.createInvitation(), c.room
		return func(ctx context.Context) error {
			_, err := c.s.AcceptInvitation(ctx, i.ID, c.root.ID)
			if err == nil { // then it was before, and the newcomer is in the room rightly
				err = second(c.s.Participants(ctx, room.ID))
			}
			return err
		}
	},
	"CreateRoom": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			return second(c.s.CreateRoom(ctx, c.holder.ID, watchparty.NewRoom{Name: "A room", Visibility: watchparty.Public,
				Capacity: 5}, IdempotencyKey{}))
		}
	},
	"PostMessage": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			return second(c.s.PostMessage(ctx, c.holder, watchparty.NewMessage{RoomID: c.room.ID, Body: "hello"},
				IdempotencyKey{}))
		}
	},
	"EditMessage": func(c *cast) func(context.Context) error {
		m := postMessage(c.t, c.s, c.room, c.holder, "hello")
		return func(ctx context.Context) error { return second(c.s.EditMessage(ctx, m.ID, c.holder.ID, "hello again")) }
	},
	"MarkRead": func(c *cast) func(context.Context) error {
		m := postMessage(c.t, c.s, c.room, c.guest, "hello")
		return func(ctx context.Context) error { return c.s.MarkRead(ctx, c.room.ID, c.holder.ID, m.ID) }
	},
	"DeleteMessage": func(c *cast) func(context.Context) error {
		m := postMessage(c.t, c.s, c.room, c.guest, "hello")
		return func(ctx context.Context) error { return c.s.DeleteMessage(ctx, m.ID, c.holder.ID) }
	},
	"Invite": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			n := watchparty.NewInvitation{Email: c.holder.Username + "-guest@example.org"}
			return second(c.s.Invite(ctx, c.room.ID, c.holder.ID, n, IdempotencyKey{}))
		}
	},
	"RevokeInvitation": func(c *cast) func(context.Context) error {
		i := createInvitation(c.t, c.s, c.room, c.host, c.holder.Username+"-guest@example.org")
		return func(ctx context.Context) error { return c.s.RevokeInvitation(ctx, i.ID, c.holder.ID) }
	},
	"SetRole to moderator": func(c *cast) func(context.Context) error {
		require.NoError(c.t, c.setRole(c.host, c.holder, watchparty.Viewer))
		return func(context.Context) error { return c.setRole(c.host, c.holder, watchparty.Moderator) }
	},
	"SetRole to host": func(c *cast) func(context.Context) error {
		return func(context.Context) error { return c.setRole(c.host, c.holder, watchparty.Host) }
	},
	"LeaveRoom by the host": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error { return c.s.LeaveRoom(ctx, c.room.ID, c.host.ID) }
	},
	"QuitRoom by the host": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error { return c.s.QuitRoom(ctx, c.room.ID, c.host.ID) }
	},
	"DeleteAccount of the host": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			return c.s.DeleteAccount(ctx, c.host.ID, "hash of "+c.host.Username)
		}
	},
	"Heartbeat": func(c *cast) func(context.Context) error {
		execute(c.t, c.s, "UPDATE participants SET last_seen_at = now() - interval '1 h' WHERE room_id = ? AND user_id = ?",
			c.room.ID, c.host.ID)
		return func(ctx context.Context) error {
			return second(c.s.Heartbeat(ctx, c.room.ID, c.holder.ID, time.Minute))
		}
	},
	"Ban": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			return second(c.s.Ban(ctx, c.room.ID, c.host.ID, c.holder.Username, watchparty.NewBan{}, IdempotencyKey{}))
		}
	},
	"Mute": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			return second(c.s.Mute(ctx, c.room.ID, c.host.ID, c.holder.Username,
				watchparty.NewMute{Until: Now().Add(time.Hour)}, IdempotencyKey{}))
		}
	},
	"Kick": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error { return c.s.Kick(ctx, c.room.ID, c.holder.ID, c.guest.Username) }
	},
	"LiftBan": func(c *cast) func(context.Context) error {
		banUser(c.t, c.s, c.room, c.host, c.guest, nil)
		return func(ctx context.Context) error { return c.s.LiftBan(ctx, c.room.ID, c.holder.ID, c.guest.Username) }
	},
	"LiftMute": func(c *cast) func(context.Context) error {
		muteUser(c.t, c.s, c.room, c.host, c.guest, Now().Add(time.Hour))
		return func(ctx context.Context) error { return c.s.LiftMute(ctx, c.room.ID, c.holder.ID, c.guest.Username) }
	},
	"UpdateRoom": func(c *cast) func(context.Context) error {
		room := newRoom(c.t, c.s, c.holder, nil)
		visibility := watchparty.Private // which makes members of those who are in it
		return func(ctx context.Context) error {
			return second(c.s.UpdateRoom(ctx, room.ID, c.holder.ID, watchparty.RoomChange{Visibility: &visibility}, nil))
		}
	},
	"DeleteRoom": func(c *cast) func(context.Context) error {
		room := newRoom(c.t, c.s, c.holder, nil)
		return func(ctx context.Context) error { return c.s.DeleteRoom(ctx, room.ID, c.holder.ID, nil) }
	},
	"NextAvatarVersion": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error { return second(c.s.NextAvatarVersion(ctx, c.holder.ID)) }
	},
	"CreateAvatar": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error { return second(c.s.CreateAvatar(ctx, c.holder.ID, 1)) }
	},
	"PublishAvatar": func(c *cast) func(context.Context) error {
		version := uploadAvatar(c.t, c.s, c.holder)
		return func(ctx context.Context) error { return second(c.s.PublishAvatar(ctx, c.holder.ID, version)) }
	},
	"ReportAbuse": func(c *cast) func(context.Context) error {
		n := watchparty.NewAbuseReport{Kind: watchparty.AbuseSpam, Username: c.guest.Username}
		return func(ctx context.Context) error { return second(c.s.ReportAbuse(ctx, c.holder.ID, n, IdempotencyKey{})) }
	},
	"RememberClient": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error { return c.s.RememberClient(ctx, c.holder.ID, []byte("a client")) }
	},
	"GrantAdminTo": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error { return second(c.s.GrantAdminTo(ctx, c.root.ID, c.holder.ID)) }
	},
	"LogIn": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			n := NewSession{TokenHash: []byte("another " + c.holder.ID), TTL: time.Hour, MaxTTL: time.Hour}
			return second(c.s.LogIn(ctx, c.holder.ID, "hash of "+c.holder.Username, n))
		}
	},
	"RotateSession": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			n := NewSession{TokenHash: []byte("the next " + c.holder.ID), TTL: time.Hour, MaxTTL: time.Hour}
			return second(c.s.RotateSession(ctx, c.token, n))
		}
	},
	"RequestReset": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error { return c.s.RequestReset(ctx, c.holder.Email, IdempotencyKey{}) }
	},
	"ResetPassword": func(c *cast) func(context.Context) error {
		id := requestReset(c.t, c.s, c.holder)
		return func(ctx context.Context) error { return second(c.s.ResetPassword(ctx, id, "another")) }
	},
	"ChangePassword": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			return c.s.ChangePassword(ctx, c.holder.ID, "hash of "+c.holder.Username, "another", c.session)
		}
	},
	"RequestEmailChange": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			return c.s.RequestEmailChange(ctx, c.holder.ID, "hash of "+c.holder.Username, c.holder.Username+"@new.example.org")
		}
	},
	"ResendVerification": func(c *cast) func(context.Context) error {
		unconfirmHolder(c)
		return func(ctx context.Context) error { return c.s.ResendVerification(ctx, c.holder.ID, IdempotencyKey{}) }
	},
	"VerifyEmail": func(c *cast) func(context.Context) error {
		id := requestEmailChange(c.t, c.s, c.holder, c.holder.Username+"@new.example.org")
		return func(ctx context.Context) error { return c.s.VerifyEmail(ctx, id) }
	},
	"UpdateProfile": func(c *cast) func(context.Context) error {
		name := "Another"
		return func(ctx context.Context) error {
			return second(c.s.UpdateProfile(ctx, c.holder.ID, watchparty.ProfileChange{DisplayName: &name}))
		}
	},
	"GrantAdmin": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error { return second(c.s.GrantAdmin(ctx, c.holder.Email)) }
	},
	"QueueReminder": func(c *cast) func(context.Context) error {
		unconfirmHolder(c)
		id := emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID)
		beginAttempt(c.t, c.s, id)
		markSent(c.t, c.s, id)
		return func(ctx context.Context) error { return second(c.s.QueueReminder(ctx, id)) }
	},
	"ApplyPlaybackCommand": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			load := newLoad(watchparty.Source{StreamURL: movieAddress})
			return second(c.s.ApplyPlaybackCommand(ctx, c.room.ID, c.identity(), load))
		}
	},
	"AddToQueue": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			return second(c.s.AddToQueue(ctx, c.room.ID, c.identity(), watchparty.Source{StreamURL: movieAddress},
				IdempotencyKey{Hash: []byte(newID()), Fingerprint: []byte("add")}))
		}
	},
	"ScheduleParty": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error {
			return second(c.s.ScheduleParty(ctx, c.room.ID, c.holder.ID, newPartyIn(time.Hour), IdempotencyKey{
				Hash: []byte(newID()), Fingerprint: []byte("party")}))
		}
	},
	"UpdateParty": func(c *cast) func(context.Context) error {
		party, movie := c.scheduleParty(), addStreamedMovie(c.t, c.s, "Movie of a party in "+c.room.ID)
		return func(ctx context.Context) error {
			at := Now().Add(3 * time.Hour)
			change := watchparty.PartyChange{StartsAt: &at, MovieID: &movie}
			_, _, err := c.s.UpdateParty(ctx, party.ID, c.holder.ID, change, nil)
			return err
		}
	},
	"CancelParty": func(c *cast) func(context.Context) error {
		party := c.scheduleParty()
		return func(ctx context.Context) error { return second(c.s.CancelParty(ctx, party.ID, c.holder.ID, nil)) }
	},
	"AnswerParty": func(c *cast) func(context.Context) error {
		party := c.scheduleParty()
		return func(ctx context.Context) error {
			return c.s.AnswerParty(ctx, party.ID, c.holder.ID, watchparty.AnswerYes)
		}
	},
	"RemoveFromQueue": func(c *cast) func(context.Context) error {
		item := c.addItem()
		return func(ctx context.Context) error {
			return second(c.s.RemoveFromQueue(ctx, c.room.ID, c.identity(), item.ID))
		}
	},
	"MoveInQueue": func(c *cast) func(context.Context) error {
		item := c.addItem()
		return func(ctx context.Context) error {
			return c.s.MoveInQueue(ctx, c.room.ID, c.identity(), item.ID, "")
		}
	},
	"VoteForItem": func(c *cast) func(context.Context) error {
		item := c.addItem()
		return func(ctx context.Context) error {
			return c.s.VoteForItem(ctx, c.room.ID, c.identity(), item.ID, true)
		}
	},
	"VoteToSkip": func(c *cast) func(context.Context) error {
		c.loadItem()
		return func(ctx context.Context) error {
			return second(c.s.VoteToSkip(ctx, c.room.ID, c.identity(), 1, true))
		}
	},
	"AddConnection": func(c *cast) func(context.Context) error {
		node := newID()
		renewLease(c.t, c.s, node)
		return func(ctx context.Context) error {
			return second(c.s.AddConnection(ctx, node, newID(), c.room.ID, c.identity()))
		}
	},
	"RestoreMembers": func(c *cast) func(context.Context) error {
		node, conn := c.connect(c.holder)
		execute(c.t, c.s, "DELETE FROM live_members WHERE conn_id = ?", conn)
		return func(ctx context.Context) error {
			return c.s.RestoreMembers(ctx, node, []LiveConnection{{ConnID: conn, RoomID: c.room.ID, UserID: c.holder.ID}})
		}
	},
	"PauseEmails": func(c *cast) func(context.Context) error {
		return func(ctx context.Context) error { return c.s.PauseEmails(ctx, c.holder.ID) }
	},
}

// outside are the other methods of the store, with what keeps them from storing something of a deleted account.
var outside = map[string][]string{
	"reads": {
		"AccountVersions",
		"AdminEmail",
		"ReadClock",
		"Delays",
		"EmailOfJob",
		"EventState",
		"HiddenAccounts",
		"Outbox",
		"OutboxEvents",
		"QueuePaused",
		"QueuePauses",
		"Webhook",
		"WebhookAttempts",
		"WebhookDeliveries",
		"WebhookDelivery",
		"Webhooks",
		"RunOfJob",
		"SchedulePausedUntil",
		"SchedulePauses",
		"Throughput",
		"TokenUser",
		"Workload",
		"LiveMarks",
		"NowPlaying",
		"MyParties",
		"Parties",
		"Party",
		"PartyGuests",
		"PartyEmail",
		"PartyStatus",
		"LiveMembers",
		"LiveRooms",
		"LiveStandings",
		"LiveVersions",
		"Playback",
		"Playbacks",
		"Queue",
		"QueueItem",
		"AbuseReport",
		"AbuseReports",
		"ActiveRooms",
		"AdminMessages",
		"AdminRoom",
		"AdminRooms",
		"Audit",
		"ActivityReport",
		"Avatar",
		"AvatarStates",
		"BanOf",
		"Bans",
		"ChangedMessages",
		"Credentials",
		"FirstVerification",
		"Genres",
		"Invitation",
		"Invitations",
		"KnownClient",
		"LastMessageChange",
		"Email",
		"EmailAttempts",
		"EmailPause",
		"Emails",
		"EmailsPaused",
		"Message",
		"Messages",
		"MissingReports",
		"Movie",
		"Movies",
		"MoviesByID",
		"MuteOf",
		"Mutes",
		"MyInvitations",
		"MyRooms",
		"NewerMessages",
		"NewestAvatar",
		"OpenInvitation",
		"OptedOut",
		"OwnStanding",
		"Participants",
		"PasswordHash",
		"PendingEmailAddress",
		"PendingVerification",
		"ReplacedAddress",
		"Report",
		"ReportEmail",
		"Reports",
		"ResetUser",
		"RetiredRooms",
		"Room",
		"RoomLog",
		"Rooms",
		"RoomsByPeople",
		"RoomsWithMovies",
		"Run",
		"Runs",
		"SchedulePause",
		"SentAbuseReport",
		"Snapshot",
		"SessionUser",
		"Sessions",
		"AccountsWithOldSpelling",
		"Standing",
		"UntalliedDay",
		"User",
		"UserByUsername",
		"Users",
		"UsersByUsername",
	},
	"exports, which read": {"Export"}, // the prefix of all
	"is no query": {"CheckCapacity", "Close", "DB", "Events", "ForHealth", "Journal", "SetEmailLimit", "SetLogger",
		"OnChange", "OnCommitted", "Ping", "PoolStats", "ProbeDB", "Refused"},
	"makes an account": {"CreateSignedInUser", "CreateUser"},
	"is about no account": {"AddMovies", "CreateActivityReport", "DeclineInvitation", "ExpireInvitation", "OptIn",
		"OptOut", "QueueReportEmails", "TallyDay", "RenewLease", "SetClock", "SweepPlaybacks", "Tick",
		"AdvanceParty", "SweepParties", "QueuePartyNotices",
		"BeginWebhookAttempt", "CancelWebhookDelivery", "EndWebhookAttempt", "ResealWebhooks"},
	"only ends or removes": {
		"AnonymiseMessages",
		"RemoveConnections",
		"EndLapsedLeases",
		"EndLease",
		"DeclineMyInvitation",
		"DeleteAccount",
		"EndSession",
		"EndSessions",
		"FailAvatar",
		"LeaveRoom",
		"QuitRoom",
		"RemoveAccount",
		"RemoveAvatar",
		"RevokeSession",
	},
	"is clean-up": {"AddCleanupCount", "BeginRun", "CleanupBatch", "CountCleanup", "EndOverdue", "EnterPolicy",
		"FinishRun", "SetCleanupCount"},
	"notes what those who entered report": {"KeepPresent", "ReportPlayers"},
	"changes one row of one": {
		"AdmitEmail",
		"BeginAvatar",
		"BeginEmailAttempt",
		"CancelUndeliverableEmail",
		"MarkEmailFailed",
		"RecordEmailAttempt",
		"MarkAvatarRendered",
		"RenewHash",
		"MarkEmailSent",
	},
	"is audited, which PauseEmails stands for": {
		"AuditJob",
		"AuditSchedule",
		"PauseQueue",
		"RequeueEvent",
		"ResumeQueue",
		"CancelEmail",
		"CancelRun",
		"CloseRoom",
		"CreateMovie",
		"CreateRun",
		"DeleteMovie",
		"AuditRoomRead",
		"RemoveMessage",
		"ReopenRoom",
		"ResolveAbuseReport",
		"RevokeAdmin",
		"RevokeAdminOf",
		"EndUserSession",
		"EndUserSessions",
		"ReinstateUser",
		"ResendEmail",
		"ResendEmailOfJob",
		"RestoreRoom",
		"ResumeEmails",
		"RepeatRun",
		"SuspendUser",
		"UpdateMovie",
		"CreateWebhook",
		"DeleteWebhook",
		"RedeliverWebhook",
		"ReplayWebhook",
		"RotateWebhookSecret",
		"TestWebhook",
		"UpdateWebhook",
	},
}
