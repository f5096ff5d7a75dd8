package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// grants are all that are stored.
var grants = map[string]grant{
	"invitation: acceptance": {
		give: func(c *cast) func() error {
			invited, newcomer := c.createInvitation(), newUser(c.t, c.s, "newcomer"+c.holder.Username[6:])
			return func() error { return acceptInvitation(c.t, c.s, invited, newcomer) }
		},
		also: (*cast).requireRevoked,
		cells: invitationCells(cells{waits, noReason, concatActs(archive)},
			cells{remains, "the room is open again", concatActs(reopen)}),
	},
	"invitation: lookup": {
		give: func(c *cast) func() error { return c.lookUpInvitation(c.createInvitation()) },
		also: (*cast).requireRevoked,
		cells: invitationCells(cells{remains, "the room may be opened again; acceptance waits for that",
			concatActs(archive, reopen)}),
	},
	"email: room_invitation": {
		give: func(c *cast) func() error {
			i := c.createInvitation()
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailRoomInvitation, i.ID), c.lookUpInvitation(i))
		},
		also: (*cast).requireRevoked,
		cells: invitationCells(cells{remains, "what sends it looks at the room itself, see the activity's test",
			concatActs(archive, reopen)}),
	},
	"email: room_invitation_reminder": {
		give: func(c *cast) func() error {
			return c.queuesReminder(emailAbout(c.t, c.s, watchparty.EmailRoomInvitation, c.createInvitation().ID))
		},
		also: (*cast).requireRevoked,
		cells: invitationCells(cells{waits, noReason, concatActs(archive)},
			cells{remains, "the room is open again", concatActs(reopen)}),
	},
	"invitation to the holder": {
		give: func(c *cast) func() error {
			i := createInvitation(c.t, c.s, c.room, c.deputy, strings.ToUpper(c.holder.Email))
			return c.lookUpInvitation(i)
		},
		cells: []cells{
			{ended, noReason, concatActs(kick, deletion, deleteRoom)},
			{remains, "a ban refuses acceptance while it lasts; whoever is let in again may use it",
				concatActs(banForEver, banUntil)},
			{remains, "they may come again as often as they like", concatActs(quit, leave, demote)},
			{remains, "the inviter's right is untouched", concatActs(handOver, visibilities)},
			{remains, "the room may be opened again; acceptance waits for that", concatActs(archive, reopen)},
			{remains, nobodyAsks, concatActs(suspend)},
			{remains, "whoever has the token was asked, with whatever account",
				concatActs(reinstate, ofSignIns, newAddress, unconfirm, revokeAdmin)},
		},
	},
	"invitation to the holder: listed": {
		give: func(c *cast) func() error {
			createInvitation(c.t, c.s, c.room, c.deputy, strings.ToUpper(c.holder.Email))
			return func() error {
				listed, err := c.s.MyInvitations(c.t.Context(), c.holder.ID, Page{Limit: 2})
				if err != nil {
					return err
				}
				return errorUnless(len(listed) == 1)
			}
		},
		cells: toMyAddress(
			cells{remains, "the room may be opened again; acceptance waits for that", concatActs(archive, reopen)},
			cells{remains, nobodyAsks, concatActs(suspend)},
		),
	},
	"invitation to the holder: acceptance in the account": {
		give: func(c *cast) func() error {
			i := createInvitation(c.t, c.s, c.room, c.deputy, strings.ToUpper(c.holder.Email))
			return func() error {
				_, err := c.s.AcceptMyInvitation(c.t.Context(), i.ID, c.holder.ID)
				return err
			}
		},
		cells: toMyAddress(cells{waits, noReason, concatActs(archive, suspend)},
			cells{remains, "the room is open again", concatActs(reopen)}),
	},
	"opt-out link": {
		give: func(c *cast) func() error {
			i := c.createInvitation()
			return func() error { return c.s.OptOut(c.t.Context(), i.ID) }
		},
		cells: nobodysCells("whoever got the email may refuse more of them, whatever became of the invitation"),
	},
	"sign-in":       {give: func(c *cast) func() error { return c.readSessionUser }, cells: signInCells},
	"refresh token": {give: func(c *cast) func() error { return c.rotateSession }, cells: signInCells},
	"role of a moderator": {
		give: func(c *cast) func() error {
			return func() error {
				_, err := c.s.Mute(c.t.Context(), c.room.ID, c.holder.ID, c.guest.Username,
					watchparty.NewMute{Until: Now().Add(time.Hour)}, IdempotencyKey{})
				return err
			}
		},
		cells: append(byModerator(cannot),
			cells{remains, "order is kept in an archived room, too", concatActs(archive, reopen)},
			cells{waits, noReason, concatActs(suspend)},
			cells{remains, "a suspension is no judgement of the room's", concatActs(reinstate)}),
	},
	"control of playback": {
		give: func(c *cast) func() error {
			c.loadItem()
			return func() error {
				epoch := readValue[int64](c.t, c.s, "SELECT epoch FROM playbacks WHERE room_id = ?", c.room.ID)
				play := newLoad(watchparty.Source{StreamURL: movieAddress})
				play.Epoch = epoch
				return second(c.s.ApplyPlaybackCommand(c.t.Context(), c.room.ID, c.identity(), play))
			}
		},
		cells: []cells{
			{ended, noReason, concatActs(expulsions, demote, quit, leave, suspend, reinstate, deletion, deleteRoom, ofSignIns)},
			{remains, byRole, concatActs(visibilities)},
			{remains, "another host changes no other role", concatActs(handOver)},
			{remains, "it does not come from an address", concatActs(newAddress)},
			{remains, notOfAdmins, concatActs(revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
			{waits, noReason, concatActs(archive)},
			{remains, "the room is open again", concatActs(reopen)},
		},
	},
	"connection to a room": {
		give: func(c *cast) func() error {
			c.connect(c.holder)
			return func() error {
				standings, err := c.s.LiveStandings(c.t.Context(), []LiveKey{{c.room.ID, c.holder.ID, c.session}})
				if err != nil {
					return err
				}
				return standings[0].Err
			}
		},
		cells: []cells{
			{ended, noReason, concatActs(expulsions, quit, leave, suspend, reinstate, deletion, deleteRoom, ofSignIns)},
			{remains, "a viewer may watch", concatActs(demote, handOver, visibilities)},
			{remains, "it does not come from an address", concatActs(newAddress)},
			{remains, notOfAdmins, concatActs(revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
			{waits, noReason, concatActs(archive)},
			{remains, "the room is open again", concatActs(reopen)},
		},
	},
	"replay of an invitation": {
		give: func(c *cast) func() error {
			inviteAgain := func() error {
				idempotencyKey := IdempotencyKey{Hash: []byte("invite" + c.holder.ID), Fingerprint: []byte("asked")}
				_, err := c.s.Invite(c.t.Context(), c.room.ID, c.holder.ID, watchparty.NewInvitation{Email: "again@example.org"},
					idempotencyKey)
				return err
			}
			require.NoError(c.t, inviteAgain())
			return inviteAgain
		},
		cells: append(byModerator(ended),
			cells{remains, "it answers what is listed", concatActs(archive, reopen)},
			cells{waits, noReason, concatActs(suspend)},
			cells{remains, "it answers what is listed: an invitation that was revoked", concatActs(reinstate)}),
	},
	"replay of a message": {
		give: func(c *cast) func() error {
			require.NoError(c.t, c.postMessage("post"))
			return func() error { return c.postMessage("post") }
		},
		cells: []cells{
			{ended, noReason, concatActs(expulsions, quit, deletion, deleteRoom)},
			{remains, "a member may read", concatActs(leave, demote, handOver, visibilities, archive, reopen)},
			{remains, nobodyAsks, concatActs(suspend)},
			{remains, notOfSignIns, concatActs(reinstate, ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"replay of a room": {
		own: true,
		give: func(c *cast) func() error {
			open := func() error {
				idempotencyKey := IdempotencyKey{Hash: []byte("room" + c.holder.ID), Fingerprint: []byte("asked")}
				_, err := c.s.CreateRoom(c.t.Context(), c.holder.ID, watchparty.NewRoom{
					Name: "A room", Visibility: watchparty.Private, Capacity: 10}, idempotencyKey)
				return err
			}
			require.NoError(c.t, open())
			execute(c.t, c.s, "UPDATE idempotency_keys SET resource_id = ? WHERE key_hash = ?", c.room.ID,
				[]byte("room"+c.holder.ID))
			return open
		},
		cells: []cells{
			{cannot, nobodyAbove, concatActs(expulsions, demote)},
			{ended, noReason, concatActs(quit, deletion, deleteRoom)},
			{remains, "the former host is a moderator", concatActs(leave, handOver)},
			{remains, "the host may see it", concatActs(visibilities, archive, reopen)},
			{waits, noReason, concatActs(suspend)},
			{remains, notOfSignIns, concatActs(reinstate, ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"role of the host": {
		own: true,
		give: func(c *cast) func() error {
			return func() error {
				name := "Another name"
				_, err := c.s.UpdateRoom(c.t.Context(), c.room.ID, c.holder.ID, watchparty.RoomChange{Name: &name}, nil)
				return err
			}
		},
		cells: []cells{
			{cannot, nobodyAbove, concatActs(expulsions, demote)},
			{ended, noReason, concatActs(quit, leave, handOver, deletion, deleteRoom)},
			{waits, noReason, concatActs(suspend, archive)},
			{remains, "it is as before", concatActs(visibilities, reopen, reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"membership of a private room": {
		give: func(c *cast) func() error {
			require.NoError(c.t, c.setRole(c.boss, c.holder, watchparty.Viewer))
			return func() error {
				if err := c.s.LeaveRoom(c.t.Context(), c.room.ID, c.holder.ID); err != nil {
					return err
				}
				_, err := c.s.JoinRoom(c.t.Context(), c.room.ID, c.holder.ID)
				return err
			}
		},
		cells: []cells{
			{ended, noReason, concatActs(expulsions, quit, deletion, deleteRoom)},
			{cannot, "there is no lower role", concatActs(demote)},
			{remains, "a member may come and go", concatActs(leave, handOver)},
			{remains, "who was let in stays so, should the room be private again", concatActs(visibilities)},
			{waits, noReason, concatActs(archive, suspend)},
			{remains, "it is as before", concatActs(reopen, reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"place in a room": {
		give: func(c *cast) func() error { return func() error { return c.postMessage("") } },
		cells: []cells{
			{ended, noReason, concatActs(expulsions, quit, leave, deletion, deleteRoom)},
			{remains, "a viewer may speak", concatActs(demote, handOver, visibilities)},
			{waits, noReason, concatActs(archive, suspend)},
			{remains, "it is as before", concatActs(reopen, reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"succession": {
		give: func(c *cast) func() error { return c.succeedHost },
		cells: []cells{
			{ended, noReason, concatActs(expulsions, quit, leave, deletion)},
			{cannot, "the room has no host any more", concatActs(deleteRoom)},
			{remains, "the last who is in the room follows, with whatever role", concatActs(demote, handOver, visibilities)},
			{waits, noReason, concatActs(archive, suspend)},
			{remains, "it is as before", concatActs(reopen, reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"being handed the room": {
		give: func(c *cast) func() error {
			return func() error { return c.setRole(watchparty.User{ID: c.hostOf()}, c.holder, watchparty.Host) }
		},
		cells: []cells{
			{ended, noReason, concatActs(expulsions, quit, leave, deletion)},
			{cannot, "nobody can hand it over", concatActs(deleteRoom)},
			{remains, "it is the host's to say", concatActs(demote, handOver, visibilities)},
			{waits, noReason, concatActs(archive, suspend)},
			{remains, "it is as before", concatActs(reopen, reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"ban by the holder": {
		give: func(c *cast) func() error {
			banUser(c.t, c.s, c.room, c.holder, c.guest, nil)
			return func() error {
				standing, err := c.s.Standing(c.t.Context(), c.room.ID, c.guest.ID)
				if err != nil {
					return err
				}
				return errorUnless(standing.Banned)
			}
		},
		cells: sanctionCells,
	},
	"mute by the holder": {
		give: func(c *cast) func() error {
			muteUser(c.t, c.s, c.room, c.holder, c.guest, Now().Add(time.Hour))
			return func() error {
				own, err := c.s.OwnStanding(c.t.Context(), c.room.ID, c.guest.ID)
				if err != nil {
					return err
				}
				return errorUnless(!own.MutedUntil.IsZero())
			}
		},
		cells: sanctionCells,
	},
	"upload on its way": {
		give: func(c *cast) func() error {
			version := uploadAvatar(c.t, c.s, c.holder)
			return func() error { return errorUnless(publishAvatar(c.t, c.s, c.holder, version) == watchparty.AvatarReady) }
		},
		cells: accountCells(
			cells{remains, "it is the account's own picture, and shown to nobody anew", concatActs(suspend, reinstate)},
			cells{remains, notOfSignIns, concatActs(ofSignIns, newAddress)},
			cells{cannot, nothingDoes, concatActs(unconfirm)}),
	},
	"admin": {
		give: func(c *cast) func() error {
			execute(c.t, c.s, "UPDATE users SET is_admin = true WHERE id = ?", c.holder.ID)
			return func() error {
				user, err := c.s.User(c.t.Context(), c.holder.ID) // as the API asks, before every act of an admin's
				if err == nil && !user.Admin {
					err = watchparty.ErrForbidden
				}
				if err != nil {
					return err
				}
				return c.s.EndUserSessions(c.t.Context(), c.holder.ID, c.guest.ID)
			}
		},
		cells: []cells{
			{remains, notOfRooms, ofTheRoom},
			{ended, noReason, concatActs(deletion, revokeAdmin)},
			{waits, noReason, concatActs(suspend)},
			{remains, "it is another admin's to revoke", concatActs(reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"link that confirms the first address": {
		give: func(c *cast) func() error {
			unconfirmHolder(c)
			first := newestVerification(c.t, c.s, c.holder)
			return func() error { return c.s.VerifyEmail(c.t.Context(), first) }
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newAddress)},
			cells{remains, "it proves an address and lets nobody in", concatActs(suspend, reinstate, ofSignIns)},
			cells{cannot, "it is not confirmed", concatActs(unconfirm)}),
	},
	"link that changes the address": {
		give: func(c *cast) func() error {
			id := requestEmailChange(c.t, c.s, c.holder, c.holder.Username+"@other.example.org")
			return func() error { return c.s.VerifyEmail(c.t.Context(), id) }
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newPassword, resetPassword, newAddress)},
			cells{remains, "it was asked for with the password, and lets nobody in",
				concatActs(signOut, suspend, reinstate, unconfirm)}),
	},
	"link that sets a password": {
		give: func(c *cast) func() error {
			id := requestReset(c.t, c.s, c.holder)
			return func() error {
				_, err := c.s.ResetUser(c.t.Context(), id)
				return err
			}
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newPassword, resetPassword, newAddress)},
			cells{remains, "whoever reads the address's email sets the password; a suspended account is not let in by it",
				concatActs(suspend, reinstate, signOut, unconfirm)}),
	},
	"link to a report": {
		give: func(c *cast) func() error {
			id := addReport(c)
			return func() error {
				_, err := c.s.ActivityReport(c.t.Context(), id)
				return err
			}
		},
		cells: nobodysCells("a report holds counts, and nobody's standing lets them see it"),
	},
	"email: activity_report": {
		give: func(c *cast) func() error {
			report := addReport(c)
			reader, err := watchparty.ParseAddress("reader@example.org")
			require.NoError(c.t, err)
			queued, err := c.s.QueueReportEmails(c.t.Context(), report, []watchparty.Address{reader})
			require.NoError(c.t, err)
			require.Equal(c.t, 1, queued)
			id := readValue[string](c.t, c.s, "SELECT id FROM report_mails WHERE report_id = ?", report)
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailActivityReport, id), func() error {
				_, _, err := c.s.ReportEmail(c.t.Context(), id, []watchparty.Address{reader})
				return err
			})
		},
		cells: nobodysCells("it goes to those whom the settings name when it is sent"),
	},
	"email: welcome": {
		give: func(c *cast) func() error {
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID), func() error {
				_, err := c.s.User(c.t.Context(), c.holder.ID)
				return err
			})
		},
		cells: accountCells(cells{remains, "it greets, at the address that the account has when it is sent", concatActs(
			suspend, reinstate, ofSignIns, newAddress, unconfirm)}),
	},
	"email: welcome_reminder": {
		give: func(c *cast) func() error {
			unconfirmHolder(c)
			return c.queuesReminder(emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID))
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newAddress, resetPassword)},
			cells{waits, noReason, concatActs(suspend)},
			cells{remains, "the address is not confirmed yet", concatActs(reinstate, newPassword, signOut)},
			cells{cannot, "it is not confirmed", concatActs(unconfirm)}),
	},
	"email: party_reminder": {
		give:  func(c *cast) func() error { return c.tellOfParty(watchparty.NoticeHour) },
		cells: partyEmailCells(cells{ended, noReason, concatActs(archive, reopen)}),
	},
	"email: party_changed": {
		give:  func(c *cast) func() error { return c.tellOfParty(watchparty.NoticeMoved) },
		cells: partyEmailCells(cells{ended, noReason, concatActs(archive, reopen)}),
	},
	"email: party_cancelled": {
		give:  func(c *cast) func() error { return c.tellOfParty(watchparty.NoticeCancelled) },
		cells: partyEmailCells(cells{remains, "the party is cancelled all the same", concatActs(archive, reopen)}),
	},
	"email: email_verification": {
		give: func(c *cast) func() error {
			id := requestEmailChange(c.t, c.s, c.holder, c.holder.Username+"@other.example.org")
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailVerification, id), func() error {
				_, err := c.s.PendingVerification(c.t.Context(), id)
				return err
			})
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newPassword, resetPassword, newAddress)},
			cells{remains, "its link works", concatActs(signOut, suspend, reinstate, unconfirm)}),
	},
	"email: password_reset": {
		give: func(c *cast) func() error {
			id := requestReset(c.t, c.s, c.holder)
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailReset, id), func() error {
				_, err := c.s.ResetUser(c.t.Context(), id)
				return err
			})
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newPassword, resetPassword, newAddress)},
			cells{remains, "its link works", concatActs(suspend, reinstate, signOut, unconfirm)}),
	},
	"email: password_changed": {
		give: func(c *cast) func() error {
			hash := "hash of " + c.holder.Username
			require.NoError(c.t, c.s.ChangePassword(c.t.Context(), c.holder.ID, hash, hash, ""))
			id := readValue[string](c.t, c.s, "SELECT id FROM emails WHERE kind = 'password_changed' AND user_id = ?",
				c.holder.ID)
			return c.whileQueued(id, func() error { return nil })
		},
		cells: accountCells(cells{remains, "it warns the account's owner, whatever happens next",
			concatActs(suspend, reinstate, ofSignIns, newAddress, unconfirm)}),
	},
	"email: email_changed": {
		give: func(c *cast) func() error {
			id := requestEmailChange(c.t, c.s, c.holder, c.holder.Username+"@changed.example.org")
			require.NoError(c.t, c.s.VerifyEmail(c.t.Context(), id))
			c.holder.Email = c.holder.Username + "@changed.example.org"
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailAddressChanged, id), func() error {
				_, err := c.s.ReplacedAddress(c.t.Context(), id)
				return err
			})
		},
		cells: accountCells(cells{remains, "it warns the former address, whatever happens next",
			concatActs(suspend, reinstate, ofSignIns, newAddress, unconfirm)}),
	},
}

var (
	signInCells = []cells{
		{remains, notOfRooms, ofTheRoom},
		{ended, noReason, concatActs(suspend, reinstate, deletion, ofSignIns)},
		{remains, "it was asked for with the password", concatActs(newAddress)},
		{remains, "what an admin may do is looked up with each act", concatActs(revokeAdmin)},
		{cannot, nothingDoes, concatActs(unconfirm)},
	}
	sanctionCells = []cells{
		{remains, "it was right when it was given, and the room's moderators can lift it",
			concatActs(withoutActs(ofTheRoom, deleteRoom), ofTheAccount)},
		{ended, noReason, concatActs(deleteRoom)},
	}
)

func (c *cast) readSessionUser() error {
	_, err := c.s.SessionUser(c.t.Context(), c.session)
	return err
}

func (c *cast) rotateSession() error {
	_, _, err := rotateSession(c.t, c.s, c.token)
	return err
}

func errorUnless(there bool) error {
	if !there {
		return fmt.Errorf("it is not there any more")
	}
	return nil
}

func unconfirmHolder(c *cast) {
	execute(c.t, c.s, "UPDATE users SET email_verified_at = NULL WHERE id = ?", c.holder.ID)
}

func addReport(c *cast) string {
	id := newID()
	start := Now().Add(-time.Duration(casts.Add(1)) * time.Hour)
	execute(c.t, c.s, "INSERT INTO reports (id, kind, period_start, period_end, data) VALUES (?, ?, ?, ?, '{}')",
		id, watchparty.ActivityReportKind, start, start.Add(time.Hour))
	return id
}

// partyEmailCells are those of an email to a guest of a party.
func partyEmailCells(more ...cells) []cells {
	return append([]cells{
		{ended, noReason, concatActs(expulsions, quit, deletion, deleteRoom)},
		{waits, noReason, concatActs(suspend, unconfirm)},
		{remains, "a viewer may come", concatActs(demote, handOver, visibilities)},
		{remains, "guests are elsewhere until the party starts", concatActs(leave)},
		{remains, "it goes to the confirmed address of then", concatActs(newAddress)},
		{remains, notOfSignIns, concatActs(ofSignIns, reinstate)},
		{remains, notOfAdmins, concatActs(revokeAdmin)},
	}, more...)
}

// tellOfParty queues an email for the holder, who comes to a party.
func (c *cast) tellOfParty(kind watchparty.PartyNotice) func() error {
	party := c.dueParty()
	switch kind {
	case watchparty.NoticeCancelled:
		require.NoError(c.t, second(c.s.CancelParty(c.t.Context(), party.ID, c.boss.ID, nil)))
	default:
	}
	_, _, err := c.s.QueuePartyNotices(c.t.Context(), job.PartyNoticesInput{
		PartyID: party.ID, Kind: kind, Moves: c.moves(party),
	}, nilUUID)
	require.NoError(c.t, err)
	notice := readValue[string](c.t, c.s, "SELECT id FROM party_notices WHERE party_id = ? AND user_id = ?", party.ID,
		c.holder.ID)
	return c.whileQueued(emailAbout(c.t, c.s, kind.Email(), notice), func() error {
		return second(c.s.PartyEmail(c.t.Context(), notice))
	})
}
