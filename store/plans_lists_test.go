package store

import (
	"context"
	"time"

	"github.com/watchparty/watchparty"
)

// pageAt is a page of a list: its first one, or the one after the row of a kind with a number.
type pageAt func(kind, n int) Page

func firstPage(int, int) Page { return Page{Limit: pageOfPlans} }

func furtherPage(kind, n int) Page { return Page{Limit: pageOfPlans, After: Keys{rowID(kind, n)}} }

// byTime is a page of a list that is sorted by a time first: n units ago.
func byTime(p Page, n int, unit time.Duration) Page {
	if len(p.After) > 0 {
		p.After = append(Keys{time.Now().Add(-time.Duration(n) * unit).UTC()}, p.After...)
	}
	return p
}

// byPeople is a page of a list that is sorted by the number of people first.
func byPeople(p Page) Page {
	if len(p.After) > 0 {
		p.After = append(Keys{1.0}, p.After...)
	}
	return p
}

// byRank is a page of a search whose former page ended in a level.
func byRank(p Page, level int) Page {
	if len(p.After) > 0 {
		p.After = append(Keys{float64(level*rankStep + 17)}, p.After...)
	}
	return p
}

// plannedList is a list of the store whose plan is tested.
type plannedList struct {
	method, what string
	table        string // which is read through an index
	answered     int    // how many rows may be sorted
	run          func(ctx context.Context, s *Store, at pageAt) error
}

// plannedLists are all lists, with each filter that has a plan of its own.
func plannedLists() []plannedList {
	busy, quiet := rowID(4, 1), rowID(4, 70_000)
	return []plannedList{
		{"Rooms", "all", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Rooms(ctx, watchparty.RoomFilter{}, at(4, 50_000)))
		}},
		{"Rooms", "with a place left", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Rooms(ctx, watchparty.RoomFilter{Available: true}, at(4, 50_000)))
		}},
		{"Rooms", "with a movie that many have", "rooms", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.Rooms(ctx, watchparty.RoomFilter{MovieID: rowID(3, 1)}, at(4, 50_000)))
			}},
		{"Rooms", "with a movie that few have", "rooms", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.Rooms(ctx, watchparty.RoomFilter{MovieID: rowID(3, 4002)}, at(4, 50_000)))
			}},
		{"Rooms", "with a word that all have", "rooms", searched, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Rooms(ctx, watchparty.RoomFilter{Search: "movie night"}, byRank(at(4, 50_000), 1)))
		}},
		{"Rooms", "with a word that some have", "rooms", searched, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Rooms(ctx, watchparty.RoomFilter{Search: "comed"}, byRank(at(4, 50_000), 4)))
		}},
		{"Rooms", "with a word that few have", "rooms", searched, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Rooms(ctx, watchparty.RoomFilter{Search: "zebra mov"}, byRank(at(4, 50_000), 6)))
		}},
		{"Rooms", "with all filters", "rooms", searched, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Rooms(ctx, watchparty.RoomFilter{Search: "nig", MovieID: rowID(3, 1), Available: true},
				byRank(at(4, 50_000), 4)))
		}},
		{"RoomsByPeople", "all", "participants", roomsWithPeople, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.RoomsByPeople(ctx, watchparty.RoomFilter{}, byPeople(at(4, 50_000))))
		}},
		{"RoomsByPeople", "with all filters", "participants", roomsWithPeople,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(
					s.RoomsByPeople(ctx, watchparty.RoomFilter{Available: true, MovieID: rowID(3, 1)}, byPeople(at(4, 50_000))),
				)
			}},
		{"ActiveRooms", "all", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ActiveRooms(ctx, watchparty.RoomFilter{}, byTime(at(4, 50_000), 50_000, time.Second)))
		}},
		{"ActiveRooms", "with a place left", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ActiveRooms(ctx, watchparty.RoomFilter{Available: true}, byTime(at(4, 50_000), 50_000, time.Second)))
		}},
		{"ActiveRooms", "with a movie that many have", "rooms", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(
					s.ActiveRooms(ctx, watchparty.RoomFilter{MovieID: rowID(3, 1)}, byTime(at(4, 50_000), 50_000, time.Second)),
				)
			}},
		{"ActiveRooms", "with a movie that few have", "rooms", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(
					s.ActiveRooms(ctx, watchparty.RoomFilter{MovieID: rowID(3, 4002)}, byTime(at(4, 50_000), 50_000, time.Second)),
				)
			}},
		{"MyRooms", "of someone with thousands", "rooms", 3 * pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.MyRooms(ctx, rowID(1, 1), watchparty.MyRoomFilter{}, at(4, 50_000)))
			}},
		{"MyRooms", "of someone with few", "rooms", 3 * pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.MyRooms(ctx, rowID(1, 500), watchparty.MyRoomFilter{}, at(4, 50_000)))
			}},
		{"MyRooms", "as a moderator, open", "rooms", 3 * pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.MyRooms(ctx, rowID(1, 1), watchparty.MyRoomFilter{Role: watchparty.Moderator, Archived: ptr(false)},
					at(4, 50_000)))
			}},
		{"MyRooms", "as a host, archived", "rooms", 3 * pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.MyRooms(ctx, rowID(1, 1), watchparty.MyRoomFilter{Role: watchparty.Host, Archived: ptr(true)},
					at(4, 50_000)))
			}},
		{"MyRooms", "as a viewer", "rooms", 3 * pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.MyRooms(ctx, rowID(1, 1), watchparty.MyRoomFilter{Role: watchparty.Viewer}, at(4, 50_000)))
		}},
		{"MyRooms", "that are busy", "messages", 3 * pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			p := at(4, 401)
			p.After = Keys{rowID(4, 401)}
			return second(s.MyRooms(ctx, rowID(1, 1), watchparty.MyRoomFilter{Role: watchparty.Host}, p))
		}},
		{"AdminRooms", "all", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.AdminRooms(ctx, watchparty.AdminRoomFilter{}, at(4, 50_000)))
		}},
		{"AdminRooms", "with a word that few have", "rooms", searched,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.AdminRooms(ctx, watchparty.AdminRoomFilter{Search: "night 4999"}, byRank(at(4, 50_000), 4)))
			}},
		{"AdminRooms", "with a word that all have", "rooms", searched,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.AdminRooms(ctx, watchparty.AdminRoomFilter{Search: "nig"}, byRank(at(4, 50_000), 4)))
			}},
		{"AdminRooms", "of a host with thousands", "rooms", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.AdminRooms(ctx, watchparty.AdminRoomFilter{HostID: rowID(1, 1)}, at(4, 50_000)))
			}},
		{"AdminRooms", "open", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.AdminRooms(ctx, watchparty.AdminRoomFilter{State: watchparty.AdminRoomOpen}, at(4, 50_000)))
		}},
		{"AdminRooms", "archived", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.AdminRooms(ctx, watchparty.AdminRoomFilter{State: watchparty.AdminRoomArchived}, at(4, 50_000)))
		}},
		{"AdminRooms", "closed", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.AdminRooms(ctx, watchparty.AdminRoomFilter{State: watchparty.AdminRoomClosed}, at(4, 50_000)))
		}},
		{"AdminMessages", "of a busy room", "messages", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.AdminMessages(ctx, busy, at(10, 1000)))
		}},
		{"AbuseReports", "all", "abuse_reports", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.AbuseReports(ctx, watchparty.AbuseFilter{}, at(15, 10_000)))
		}},
		{"AbuseReports", "open", "abuse_reports", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.AbuseReports(ctx, watchparty.AbuseFilter{State: watchparty.AbuseOpen}, at(15, 10_000)))
		}},
		{"AbuseReports", "of a kind, open", "abuse_reports", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.AbuseReports(ctx, watchparty.AbuseFilter{State: watchparty.AbuseOpen, Kind: watchparty.AbuseHate},
					at(15, 10_000)))
			}},
		{"AbuseReports", "of messages", "abuse_reports", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.AbuseReports(ctx, watchparty.AbuseFilter{Target: watchparty.AbuseMessage}, at(15, 10_000)))
			}},
		{"AbuseReports", "about somebody", "abuse_reports", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.AbuseReports(ctx, watchparty.AbuseFilter{SubjectID: rowID(1, 1)}, at(15, 10_000)))
			}},
		{"ExportAbuseReports", "of someone who sent many", "abuse_reports", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportAbuseReports(ctx, rowID(1, 1), at(15, 1000)))
			}},
		{"Users", "admins", "users", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Users(ctx, watchparty.UserFilter{Admins: true}, at(1, 10_000)))
		}},
		{"Participants", "of a full room", "participants", watchparty.MaxCapacity,
			func(ctx context.Context, s *Store, _ pageAt) error {
				return second(s.Participants(ctx, busy))
			}},
		{"Messages", "of a busy room", "messages", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Messages(ctx, busy, at(10, 1000)))
		}},
		{"Messages", "of a quiet room", "messages", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Messages(ctx, quiet, at(10, 900_000)))
		}},
		{"ChangedMessages", "of a busy room", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				p := at(10, 1000)
				if len(p.After) > 0 {
					p.After = append(Keys{time.Date(2026, 1, 1, 0, 16, 40, 0, time.UTC)}, p.After...)
				}
				return second(s.ChangedMessages(ctx, busy, p))
			}},
		{"ChangedMessages", "of a room without changes", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ChangedMessages(ctx, quiet, byTime(at(10, 1000), 1000, time.Second)))
			}},
		{"LastMessageChange", "of a busy room", "messages", 1, func(ctx context.Context, s *Store, _ pageAt) error {
			return second(s.LastMessageChange(ctx, busy))
		}},
		{"LastMessageChange", "of a room without changes", "messages", 1,
			func(ctx context.Context, s *Store, _ pageAt) error {
				return second(s.LastMessageChange(ctx, quiet))
			}},
		{"NewerMessages", "of a busy room", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.NewerMessages(ctx, busy, at(10, 1000)))
			}},
		{"NewerMessages", "of a quiet room", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.NewerMessages(ctx, quiet, at(10, 900_000)))
			}},
		{"Bans", "of a room", "bans", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Bans(ctx, busy, at(12, 25500)))
		}},
		{"Mutes", "of a room", "mutes", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Mutes(ctx, busy, at(13, 10500)))
		}},
		{"Invitations", "to a room, all", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.Invitations(ctx, busy, "", at(6, 20_000)))
			}},
		{"Invitations", "to a room, open", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.Invitations(ctx, busy, watchparty.InvitationOpen, at(6, 20_000)))
			}},
		{"Invitations", "to a room, expired", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.Invitations(ctx, busy, watchparty.InvitationExpired, at(6, 20_000)))
			}},
		{"Invitations", "to a room, declined", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.Invitations(ctx, busy, watchparty.InvitationDeclined, at(6, 20_000)))
			}},
		{"MyInvitations", "to an address with thousands", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.MyInvitations(ctx, rowID(1, 1), at(6, 50_000)))
			}},
		{"MyInvitations", "to an address with none", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.MyInvitations(ctx, rowID(1, 600), at(6, 50_000)))
			}},
		{"Sessions", "of a user", "sessions", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Sessions(ctx, rowID(1, 1), at(2, 5000)))
		}},
		{"Users", "all", "users", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Users(ctx, watchparty.UserFilter{}, at(1, 10_000)))
		}},
		{"Users", "by the beginning of a name", "users", searched, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Users(ctx, watchparty.UserFilter{Search: "USER1999"}, byRank(at(1, 10_000), 2)))
		}},
		{"Users", "suspended", "users", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Users(ctx, watchparty.UserFilter{State: watchparty.UserSuspended}, at(1, 10_000)))
		}},
		{"Audit", "all", "audit", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Audit(ctx, watchparty.AuditFilter{}, at(7, 15_000)))
		}},
		{"Audit", "by actor", "audit", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Audit(ctx, watchparty.AuditFilter{ActorID: rowID(1, 1)}, at(7, 15_000)))
		}},
		{"Audit", "by target", "audit", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Audit(ctx, watchparty.AuditFilter{TargetID: rowID(1, 2)}, at(7, 15_000)))
		}},
		{"Audit", "by act", "audit", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Audit(ctx, watchparty.AuditFilter{Action: watchparty.AuditMovieUpdated}, at(7, 15_000)))
		}},
		{"OutboxEvents", "pending", "outbox", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.OutboxEvents(ctx, watchparty.EventPending, at(20, 10_000)))
		}},
		{"OutboxEvents", "abandoned", "outbox", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.OutboxEvents(ctx, watchparty.EventAbandoned, at(20, 10_000)))
		}},
		{"Emails", "all", "emails", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Emails(ctx, watchparty.EmailFilter{}, at(14, 30_000)))
		}},
		{"Emails", "of a kind", "emails", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Emails(ctx, watchparty.EmailFilter{Kind: watchparty.EmailReset}, at(14, 30_000)))
		}},
		{"Emails", "failed", "emails", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Emails(ctx, watchparty.EmailFilter{State: watchparty.EmailFailed}, at(14, 30_000)))
		}},
		{"Emails", "of a kind, failed", "emails", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Emails(ctx, watchparty.EmailFilter{Kind: watchparty.EmailReset, State: watchparty.EmailFailed},
				at(14, 30_000)))
		}},
		{"Emails", "to someone", "emails", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Emails(ctx, watchparty.EmailFilter{UserID: rowID(1, 1)}, at(14, 30_000)))
		}},
		{"ExportSessions", "of someone", "sessions", 5000, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ExportSessions(ctx, rowID(1, 1), at(2, 1000)))
		}},
		{"ExportAddresses", "of someone", "email_verifications", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportAddresses(ctx, rowID(1, 1), at(16, 1000)))
			}},
		{"ExportResets", "of someone", "password_resets", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportResets(ctx, rowID(1, 1), at(17, 1000)))
			}},
		{"ExportEmails", "of someone", "emails", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ExportEmails(ctx, rowID(1, 1), at(14, 1000)))
		}},
		{"ExportMemberships", "of someone", "members", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ExportMemberships(ctx, rowID(1, 1), at(4, 1000)))
		}},
		{"ExportPresence", "of someone", "participants", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportPresence(ctx, rowID(1, 1), at(4, 1000)))
			}},
		{"ExportActs", "of someone", "room_log", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ExportActs(ctx, rowID(1, 1), at(5, 1000)))
		}},
		{"ExportActsReceived", "of someone", "room_log", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportActsReceived(ctx, rowID(1, 1), at(5, 1000)))
			}},
		{"ExportAdminActs", "of someone", "audit", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ExportAdminActs(ctx, rowID(1, 1), at(7, 1000)))
		}},
		{"ExportAdminActsReceived", "of someone", "audit", 100, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ExportAdminActsReceived(ctx, rowID(1, 1), at(7, 1000)))
		}},
		{"ExportBansReceived", "of someone", "bans", 100, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ExportBansReceived(ctx, rowID(1, 1), at(12, 1000)))
		}},
		{"ExportMutesReceived", "of someone", "mutes", 100, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ExportMutesReceived(ctx, rowID(1, 1), at(13, 1000)))
		}},
		{"ExportReceived", "of someone", "invitations", 100, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ExportReceived(ctx, rowID(1, 1), at(6, 1000)))
		}},
		{"ExportReadMarkers", "of someone", "read_markers", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportReadMarkers(ctx, rowID(1, 1), at(4, 1000)))
			}},
		{"ExportQueueItems", "of someone", "queue_items", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportQueueItems(ctx, rowID(1, 1), at(18, 1000)))
			}},
		{"ExportQueueVotes", "of someone", "queue_votes", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportQueueVotes(ctx, rowID(1, 1), at(18, 1000)))
			}},
		{"ExportParties", "of someone", "parties", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ExportParties(ctx, rowID(1, 1), at(22, 1000)))
		}},
		{"ExportPartyAnswers", "of someone", "party_answers", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportPartyAnswers(ctx, rowID(1, 1), at(22, 1000)))
			}},
		{"PartyGuests", "of many", "party_answers", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.PartyGuests(ctx, rowID(22, 20), "", byTime(at(1, 500), 500, time.Second)))
		}},
		{"MyParties", "of someone", "parties", 100 * pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.MyParties(ctx, rowID(1, 500), byTime(at(22, 1000), -100, time.Hour)))
		}},
		{"ExportStays", "of someone", "stays", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			p := at(1, 1)
			if len(p.After) > 0 {
				p.After = Keys{"1000"}
			}
			return second(s.ExportStays(ctx, rowID(1, 1), p))
		}},
		{"ExportActiveDays", "of someone", "active_users", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				p := at(1, 1)
				if len(p.After) > 0 {
					p.After = Keys{"2026-02-01"}
				}
				return second(s.ExportActiveDays(ctx, rowID(1, 1), p))
			}},
		{"ExportMessages", "of someone who said much", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportMessages(ctx, rowID(1, 1), at(10, 1000)))
			}},
		{"ExportInvitations", "of someone", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportInvitations(ctx, rowID(1, 1), at(6, 1000)))
			}},
		{"ExportAccepted", "of someone", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportAccepted(ctx, rowID(1, 3), at(6, 1000)))
			}},
		{"ExportBans", "of someone who gave many", "bans", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportBans(ctx, rowID(1, 1), at(12, 1000)))
			}},
		{"ExportMutes", "of someone who gave many", "mutes", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.ExportMutes(ctx, rowID(1, 1), at(13, 1000)))
			}},
		{"ExportAvatars", "of someone", "avatars", 100, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.ExportAvatars(ctx, rowID(1, 1), at(11, 1)))
		}},
		{"Movies", "with a word that few have", "movies", searched, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Movies(ctx, watchparty.MovieFilter{Search: "4242 nig"}, byRank(at(3, 2000), 4)))
		}},
		{"Movies", "of a genre", "movies", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Movies(ctx, watchparty.MovieFilter{Genre: "genre7"}, at(3, 2000)))
		}},
		{"Movies", "of a year", "movies", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Movies(ctx, watchparty.MovieFilter{YearFrom: 1924, YearTo: 1924}, at(3, 2000)))
		}},
		{"Movies", "archived", "movies", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Movies(ctx, watchparty.MovieFilter{Archived: true}, at(3, 2000)))
		}},
		{"Movies", "short ones", "movies", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Movies(ctx, watchparty.MovieFilter{RuntimeMax: 100}, at(3, 2000)))
		}},
		{"Movies", "all", "movies", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Movies(ctx, watchparty.MovieFilter{}, at(3, 2000)))
		}},
		{"RoomLog", "of a busy room", "room_log", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.RoomLog(ctx, busy, at(5, 30_000)))
		}},
		{"RoomLog", "of a quiet room", "room_log", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.RoomLog(ctx, rowID(4, 4000), at(5, 30_000)))
		}},
		{"Runs", "all", "cleanup_runs", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Runs(ctx, byTime(at(8, 2500), 2500, 24*time.Hour)))
		}},
		{"Webhooks", "all", "webhook_deliveries", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Webhooks(ctx, at(20, 15)))
		}},
		{"WebhookDeliveries", "all of one", "webhook_deliveries", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				return second(s.WebhookDeliveries(ctx, rowID(20, 1), watchparty.WebhookDeliveryFilter{}, at(21, 15_000)))
			}},
		{"WebhookDeliveries", "in a state", "webhook_deliveries", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				filter := watchparty.WebhookDeliveryFilter{State: watchparty.WebhookFailed}
				return second(s.WebhookDeliveries(ctx, rowID(20, 1), filter, at(21, 15_000)))
			}},
		{"WebhookDeliveries", "of a kind", "webhook_deliveries", pageOfPlans,
			func(ctx context.Context, s *Store, at pageAt) error {
				filter := watchparty.WebhookDeliveryFilter{Kind: watchparty.WebhookUserSuspended}
				return second(s.WebhookDeliveries(ctx, rowID(20, 1), filter, at(21, 15_000)))
			}},
		{"RetiredRooms", "all", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.RetiredRooms(ctx, byTime(at(4, 50_000), 50_000, time.Second)))
		}},
		{"Reports", "all", "reports", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Reports(ctx, "", at(9, 2500)))
		}},
		{"Reports", "of a kind", "reports", pageOfPlans, func(ctx context.Context, s *Store, at pageAt) error {
			return second(s.Reports(ctx, watchparty.ActivityReportKind, at(9, 2500)))
		}},
	}
}
