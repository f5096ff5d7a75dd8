package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// exportBatch is how many rows of an export are in memory at once.
const exportBatch = 500

// ExportMe answers with everything that is stored about the caller.
func (s *Server) ExportMe(
	ctx context.Context,
	_ contract.ExportMeRequestObject,
) (contract.ExportMeResponseObject, error) {
	id := caller(ctx)
	user, err := s.me(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.limitExports(ctx, id.UserID); err != nil {
		return nil, err
	}
	return export{Server: s, ctx: ctx, user: user, session: id.SessionID}, nil
}

// export is written while it is read, since an account may have many messages. It is not a snapshot.
type export struct {
	*Server
	ctx     context.Context
	user    watchparty.User
	session string
}

// VisitExportMeResponse closes the connection if a part cannot be read, so that nobody takes a part for the whole.
func (e export) VisitExportMeResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="watchparty-%s.json"`, e.user.Username))
	w.WriteHeader(http.StatusOK)
	if err := e.write(w); err != nil {
		if e.ctx.Err() == nil {
			e.log.ErrorContext(e.ctx, "export broke off", slog.String("request_id", requestID(e.ctx)), slog.Any("error", err))
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

// write writes all personal data; a test compares it with the database.
func (e export) write(w http.ResponseWriter) error {
	d := &document{w: w, batch: func() {
		// Each batch has the write timeout of a whole answer. A writer without deadlines needs none.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(e.cfg.HTTP.WriteTimeout))
	}}
	account, refused, err := e.accountNow()
	if err != nil {
		return err
	}
	d.property("account", account)
	d.property("invitations_refused", refused)
	rows(d, e, "sessions", e.store.ExportSessions,
		func(s watchparty.ExportedSession) string { return s.ID }, exportedSession(e.session))
	rows(d, e, "addresses", e.store.ExportAddresses,
		func(a watchparty.ExportedAddress) string { return a.ID }, exportedAddress)
	rows(d, e, "password_resets", e.store.ExportResets,
		func(r watchparty.ExportedReset) string { return r.ID }, exportedReset)
	rows(d, e, "emails", e.store.ExportEmails, func(m watchparty.Email) string { return m.ID }, exportedEmail)
	rows(d, e, "rooms", e.rooms, func(r watchparty.MyRoom) string { return r.Room.ID }, exportedRoom)
	rows(d, e, "memberships", e.store.ExportMemberships,
		func(m watchparty.Membership) string { return m.RoomID }, exportedMembership)
	rows(d, e, "presence", e.store.ExportPresence,
		func(p watchparty.Presence) string { return p.RoomID }, exportedPresence)
	rows(d, e, "read_markers", e.store.ExportReadMarkers,
		func(m watchparty.ReadMarker) string { return m.RoomID }, exportedReadMarker)
	rows(d, e, "queue_items", e.store.ExportQueueItems,
		func(i watchparty.QueueItem) string { return i.ID }, exportedQueueItem)
	rows(d, e, "queue_votes", e.store.ExportQueueVotes,
		func(v watchparty.QueueVote) string { return v.ItemID }, exportedQueueVote)
	rows(d, e, "parties", e.store.ExportParties, func(p watchparty.Party) string { return p.ID }, exportedParty)
	rows(d, e, "party_answers", e.store.ExportPartyAnswers,
		func(a watchparty.ExportedPartyAnswer) string { return a.PartyID }, exportedPartyAnswer)
	rows(d, e, "stays", e.store.ExportStays,
		func(s watchparty.Stay) string { return strconv.FormatInt(s.ID, 10) }, exportedStay)
	rows(d, e, "active_days", e.store.ExportActiveDays,
		func(d watchparty.Day) string { return string(d) }, func(d watchparty.Day) watchparty.Day { return d })
	rows(d, e, "messages", e.store.ExportMessages, func(m watchparty.Message) string { return m.ID }, exportedMessage)
	rows(d, e, "invitations", e.store.ExportInvitations,
		func(i watchparty.Invitation) string { return i.ID }, e.invitation(e.user.ID))
	rows(d, e, "accepted_invitations", e.store.ExportAccepted,
		func(i watchparty.Invitation) string { return i.ID }, acceptedInvitation)
	rows(d, e, "received_invitations", e.received,
		func(i watchparty.Invitation) string { return i.ID }, receivedInvitation)
	sanction := func(s watchparty.Sanction) string { return s.ID }
	rows(d, e, "bans", e.store.ExportBans, sanction, exportedSanction)
	rows(d, e, "mutes", e.store.ExportMutes, sanction, exportedSanction)
	rows(d, e, "received_bans", e.store.ExportBansReceived, sanction, receivedSanction)
	rows(d, e, "received_mutes", e.store.ExportMutesReceived, sanction, receivedSanction)
	act := func(a watchparty.ExportedAct) string { return a.ID }
	rows(d, e, "acts", e.store.ExportActs, act, exportedAct)
	rows(d, e, "received_acts", e.store.ExportActsReceived, act, exportedAct)
	entry := func(a watchparty.AuditEntry) string { return a.ID }
	rows(d, e, "admin_acts", e.store.ExportAdminActs, entry, exportedAdminAct)
	rows(d, e, "account_acts", e.store.ExportAdminActsReceived, entry, accountAct)
	rows(d, e, "abuse_reports", e.store.ExportAbuseReports, func(r watchparty.AbuseReport) string { return r.ID },
		sentAbuseReport)
	rows(d, e, "avatars", e.store.ExportAvatars, func(a watchparty.Avatar) string { return a.ID }, exportedAvatar)
	d.property("exported_at", store.Now())
	return d.end()
}

// accountNow returns the account, and whether its address refuses invitations.
func (e export) accountNow() (account contract.Account, refused bool, err error) {
	account, err = e.ownAccount(e.ctx, e.user.ID)
	if err == nil && account.EmailVerified {
		refused, err = e.store.OptedOut(e.ctx, account.Email)
	}
	return account, refused, err
}

func (e export) rooms(ctx context.Context, userID string, p store.Page) ([]watchparty.MyRoom, error) {
	return e.store.MyRooms(ctx, userID, watchparty.MyRoomFilter{}, p)
}

// received lists the invitations to the account's confirmed address.
func (e export) received(ctx context.Context, _ string, p store.Page) ([]watchparty.Invitation, error) {
	if e.user.EmailVerifiedAt.IsZero() {
		return nil, nil
	}
	return e.store.ExportReceived(ctx, e.user.ID, p)
}

// rows writes a list that a method of the store reads.
func rows[From, To any](
	d *document,
	e export,
	name string,
	load func(context.Context, string, store.Page) ([]From, error),
	id func(From) string,
	to func(From) To,
) {
	array(d, name, func(p store.Page) ([]From, error) { return load(e.ctx, e.user.ID, p) }, id, to)
}

func exportedSession(current string) func(watchparty.ExportedSession) contract.ExportedSession {
	return func(s watchparty.ExportedSession) contract.ExportedSession {
		return contract.ExportedSession{
			ID: s.ID, UserAgent: s.UserAgent, SignedInAt: s.SignedInAt, LastUsedAt: s.LastUsedAt, ExpiresAt: s.ExpiresAt,
			EndedAt: pointer(s.EndedAt), Current: s.ID == current,
		}
	}
}

func exportedAddress(a watchparty.ExportedAddress) contract.ExportedAddress {
	return contract.ExportedAddress{
		Email:       a.Email,
		Former:      pointer(a.Former),
		RequestedAt: a.CreatedAt,
		UsedAt:      pointer(a.UsedAt),
		ExpiresAt:   a.ExpiresAt,
	}
}

func exportedReset(r watchparty.ExportedReset) contract.ExportedReset {
	return contract.ExportedReset{RequestedAt: r.CreatedAt, UsedAt: pointer(r.UsedAt), ExpiresAt: r.ExpiresAt}
}

func exportedEmail(m watchparty.Email) contract.ExportedEmail {
	return contract.ExportedEmail{
		Kind:       contract.EmailKind(m.Kind),
		State:      contract.EmailState(m.State),
		Attempts:   m.Attempts,
		LastAnswer: pointer(m.LastAnswer),
		CreatedAt:  m.CreatedAt,
		SentAt:     pointer(m.SentAt),
	}
}

func exportedRoom(r watchparty.MyRoom) contract.ExportedRoom {
	return contract.ExportedRoom{
		ID:              r.Room.ID,
		Name:            r.Room.Name,
		Description:     r.Room.Description,
		MovieID:         pointer(r.Room.Movie.ID),
		HostID:          pointer(r.Room.Host.ID),
		Visibility:      contract.Visibility(r.Room.Visibility),
		Capacity:        r.Room.Capacity,
		SlowModeSeconds: int(r.Room.SlowMode.Seconds()),
		Control:         contract.AccessLevel(r.Room.Access.Control),
		Queue:           contract.AccessLevel(r.Room.Access.Queue),
		QueueOrder:      contract.QueueOrder(r.Room.QueueOrder),
		WaitPolicy:      contract.WaitPolicy(r.Room.WaitPolicy),
		NowPlaying:      r.Room.NowPlaying,
		State:           roomState(r.Room),
		Closed:          !r.Room.ClosedAt.IsZero(),
		Role:            contract.Role(r.Role),
		Joined:          r.Joined,
		CreatedAt:       r.Room.CreatedAt,
		UpdatedAt:       r.Room.UpdatedAt,
	}
}

func exportedMembership(m watchparty.Membership) contract.ExportedMembership {
	return contract.ExportedMembership{RoomID: m.RoomID, Role: contract.Role(m.Role), Since: m.CreatedAt}
}

func exportedPresence(p watchparty.Presence) contract.ExportedPresence {
	return contract.ExportedPresence{
		RoomID:       p.RoomID,
		JoinedAt:     p.CreatedAt,
		LastSeenAt:   p.LastSeenAt,
		PresentSince: pointer(p.PresentSince),
	}
}

func exportedReadMarker(m watchparty.ReadMarker) contract.ExportedReadMarker {
	return contract.ExportedReadMarker{RoomID: m.RoomID, MessageID: m.MessageID, ReadAt: m.ReadAt}
}

func exportedQueueItem(i watchparty.QueueItem) contract.ExportedQueueItem {
	return contract.ExportedQueueItem{
		ID: i.ID, RoomID: i.RoomID, MovieID: pointer(i.MovieID), Title: i.Title, StreamURL: pointer(i.StreamURL),
		CreatedAt: i.CreatedAt,
	}
}

func exportedQueueVote(v watchparty.QueueVote) contract.ExportedQueueVote {
	return contract.ExportedQueueVote{RoomID: v.RoomID, ItemID: v.ItemID, CreatedAt: v.CreatedAt}
}

func exportedParty(p watchparty.Party) contract.ExportedParty {
	return contract.ExportedParty{
		ID: p.ID, RoomID: p.RoomID, Title: p.Title, MovieID: pointer(p.Movie.ID), StartsAt: p.StartsAt, TimeZone: p.TimeZone,
		State: contract.PartyState(p.State), CreatedAt: p.CreatedAt,
	}
}

func exportedPartyAnswer(a watchparty.ExportedPartyAnswer) contract.ExportedPartyAnswer {
	return contract.ExportedPartyAnswer{
		PartyID: a.PartyID, RoomID: a.RoomID, Answer: contract.PartyReply(a.Answer), CreatedAt: a.CreatedAt,
	}
}

func exportedStay(s watchparty.Stay) contract.ExportedStay {
	return contract.ExportedStay{RoomID: s.RoomID, StartedAt: s.StartedAt, EndedAt: s.EndedAt}
}

func exportedAct(a watchparty.ExportedAct) contract.ExportedAct {
	return contract.ExportedAct{
		RoomID:    a.RoomID,
		Action:    contract.RoomAction(a.Action),
		UserID:    pointer(a.TargetID),
		Details:   a.Details,
		CreatedAt: a.CreatedAt,
	}
}

func exportedAdminAct(a watchparty.AuditEntry) contract.ExportedAdminAct {
	return contract.ExportedAdminAct{
		Action:     contract.AuditAction(a.Action),
		TargetKind: contract.AuditTargetKind(a.TargetKind),
		TargetID:   a.TargetID,
		Details:    a.Details,
		Outcome:    contract.AuditOutcome(a.Outcome),
		CreatedAt:  a.CreatedAt,
	}
}

// accountAct has the reason of an act on the account. Other details may be about other people.
func accountAct(a watchparty.AuditEntry) contract.ExportedAdminAct {
	reason, said := a.Details["reason"]
	a.Details = map[string]any{}
	if said {
		a.Details["reason"] = reason
	}
	return exportedAdminAct(a)
}

func receivedInvitation(i watchparty.Invitation) contract.ReceivedInvitation {
	return contract.ReceivedInvitation{
		RoomID:     i.RoomID,
		State:      contract.InvitationState(i.State),
		CreatedAt:  i.CreatedAt,
		ExpiresAt:  i.ExpiresAt,
		AnsweredAt: pointer(i.AnsweredAt),
	}
}

func receivedSanction(s watchparty.Sanction) contract.ReceivedSanction {
	return contract.ReceivedSanction{RoomID: s.RoomID, Reason: s.Reason, Until: pointer(s.Until), CreatedAt: s.CreatedAt}
}

func exportedMessage(m watchparty.Message) contract.ExportedMessage {
	out := contract.ExportedMessage{
		ID:        m.ID,
		RoomID:    m.RoomID,
		Body:      m.Body,
		CreatedAt: m.CreatedAt,
		EditedAt:  pointer(m.EditedAt),
		Deleted:   !m.DeletedAt.IsZero(),
	}
	if m.ReplyTo != nil {
		out.ReplyToID = &m.ReplyTo.ID
	}
	return out
}

func acceptedInvitation(i watchparty.Invitation) contract.AcceptedInvitation {
	return contract.AcceptedInvitation{RoomID: i.RoomID, AnsweredAt: i.AnsweredAt}
}

func exportedSanction(s watchparty.Sanction) contract.ExportedSanction {
	return contract.ExportedSanction{
		RoomID:    s.RoomID,
		UserID:    s.UserID,
		Reason:    s.Reason,
		Until:     pointer(s.Until),
		CreatedAt: s.CreatedAt,
	}
}

func exportedAvatar(a watchparty.Avatar) contract.ExportedAvatar {
	return contract.ExportedAvatar{
		Version:     a.Version,
		Status:      contract.ExportedAvatarStatus(a.State),
		Reason:      pointer(a.Reason),
		PublishedAt: pointer(a.PublishedAt),
		CreatedAt:   a.CreatedAt,
	}
}

// document writes a JSON object property by property. After an error it does nothing.
type document struct {
	w      io.Writer
	batch  func() // called before something is written
	opened bool
	err    error
}

func (d *document) text(s string) {
	if d.err == nil {
		_, d.err = io.WriteString(d.w, s)
	}
}

// name begins a property. Names need no escapes, since they are constants.
func (d *document) name(name string) {
	start := `,"`
	if !d.opened {
		d.opened, start = true, `{"data":{"`
	}
	d.text(start + name + `":`)
}

func (d *document) property(name string, v any) {
	d.name(name)
	d.value(v)
}

func (d *document) value(v any) {
	if d.err != nil {
		return
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		d.err = err
		return
	}
	_, d.err = d.w.Write(encoded)
}

func (d *document) end() error {
	d.text("}}\n")
	return d.err
}

// array writes a list that is read in batches, each from where the last one ended.
func array[From, To any](
	d *document,
	name string,
	load func(store.Page) ([]From, error),
	id func(From) string,
	to func(From) To,
) {
	d.name(name)
	d.text("[")
	p := store.Page{Limit: exportBatch}
	for separator := ""; d.err == nil; {
		rows, err := load(p)
		if err != nil {
			d.err = err
			return
		}
		d.batch()
		for _, row := range rows {
			d.text(separator)
			d.value(to(row))
			separator = ","
		}
		if len(rows) < p.Limit {
			break
		}
		p.After = store.Keys{id(rows[len(rows)-1])}
	}
	d.text("]")
}
