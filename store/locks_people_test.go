package store

import (
	"context"
	"errors"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/playback"
	"github.com/watchparty/watchparty/workflows/job"
)

// peopleWrites are what people do with accounts and rooms, and what happens to them by itself.
var peopleWrites = map[string]func(c *cast) operation{
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
			_, _, err := c.s.QueuePartyNotices(ctx, in, nilUUID)
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
	"AuditRoomRead": func(c *cast) operation {
		return func(ctx context.Context) error { return c.s.AuditRoomRead(ctx, c.holder.ID, c.room.ID) }
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
				c.s.MarkAvatarRendered(ctx, c.holder.ID, version, []string{"a"}))
		}
	},
	"MarkAvatarRendered": func(c *cast) operation {
		version := uploadAvatar(c.t, c.s, c.holder)
		return func(ctx context.Context) error {
			return c.s.MarkAvatarRendered(ctx, c.holder.ID, version, []string{"a"})
		}
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
	"RemoveConnections": func(c *cast) operation {
		node, conn := c.connect(c.guest)
		return func(ctx context.Context) error { return second(c.s.RemoveConnections(ctx, node, []string{conn})) }
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
			return second(c.s.ApplyPlaybackCommand(ctx, c.room.ID, c.identity(), skip))
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
