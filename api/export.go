package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
)

// exportBatch is how many rows of an export are in memory at once.
const exportBatch = 500

// ExportMe answers what the caller has given and done.
func (s *Server) ExportMe(ctx context.Context, _ ExportMeRequestObject) (ExportMeResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	user, err := s.me(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.limitExports(ctx, id.UserID); err != nil {
		return nil, err
	}
	return export{Server: s, ctx: ctx, user: user, session: id.SessionID}, nil
}

// export is written as it is read, for an account may have said a lot. It is no snapshot of one moment.
type export struct {
	*Server
	ctx     context.Context
	user    watchparty.User
	session string
}

// VisitExportMeResponse breaks the connection off when a part cannot be read, so that nobody takes a piece for the whole.
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

func (e export) write(w http.ResponseWriter) error {
	d := &document{w: w, batch: func() {
		// Each batch has the time that a whole answer has otherwise. A writer without deadlines needs none.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(e.cfg.HTTP.WriteTimeout))
	}}
	d.property("account", e.account(e.user))
	array(d, "sessions", func(p store.Page) ([]watchparty.Session, error) { return e.store.Sessions(e.ctx, e.user.ID, p) },
		func(s watchparty.Session) string { return s.ID }, sessionOf(e.session))
	array(d, "rooms", func(p store.Page) ([]watchparty.MyRoom, error) {
		return e.store.MyRooms(e.ctx, e.user.ID, watchparty.MyRoomFilter{}, p)
	},
		func(r watchparty.MyRoom) string { return r.Room.ID }, myRoom)
	array(d, "messages", func(p store.Page) ([]watchparty.Message, error) { return e.store.ExportMessages(e.ctx, e.user.ID, p) },
		func(m watchparty.Message) string { return m.ID }, exportedMessage)
	array(d, "invitations", func(p store.Page) ([]watchparty.Invitation, error) {
		return e.store.ExportInvitations(e.ctx, e.user.ID, p)
	},
		func(i watchparty.Invitation) string { return i.ID }, invitation(e.user.ID))
	array(d, "accepted_invitations", func(p store.Page) ([]watchparty.Invitation, error) {
		return e.store.ExportAccepted(e.ctx, e.user.ID, p)
	},
		func(i watchparty.Invitation) string { return i.ID }, acceptedInvitation)
	array(d, "bans", func(p store.Page) ([]watchparty.Sanction, error) { return e.store.ExportBans(e.ctx, e.user.ID, p) },
		func(b watchparty.Sanction) string { return b.ID }, exportedSanction)
	array(d, "mutes", func(p store.Page) ([]watchparty.Sanction, error) { return e.store.ExportMutes(e.ctx, e.user.ID, p) },
		func(m watchparty.Sanction) string { return m.ID }, exportedSanction)
	array(d, "avatars", func(p store.Page) ([]watchparty.Avatar, error) { return e.store.ExportAvatars(e.ctx, e.user.ID, p) },
		func(a watchparty.Avatar) string { return a.ID }, exportedAvatar)
	d.property("exported_at", time.Now().UTC())
	return d.end()
}

func exportedMessage(m watchparty.Message) ExportedMessage {
	out := ExportedMessage{
		ID: m.ID, RoomID: m.RoomID, Body: m.Body, CreatedAt: m.CreatedAt, EditedAt: pointer(m.EditedAt), Deleted: !m.DeletedAt.IsZero(),
	}
	if m.ReplyTo != nil {
		out.ReplyToID = &m.ReplyTo.ID
	}
	return out
}

func acceptedInvitation(i watchparty.Invitation) AcceptedInvitation {
	return AcceptedInvitation{RoomID: i.RoomID, AnsweredAt: i.AnsweredAt}
}

func exportedSanction(s watchparty.Sanction) ExportedSanction {
	return ExportedSanction{RoomID: s.RoomID, UserID: s.UserID, Reason: s.Reason, Until: pointer(s.Until), CreatedAt: s.CreatedAt}
}

func exportedAvatar(a watchparty.Avatar) AvatarVersion {
	return AvatarVersion{Version: a.Version, Status: AvatarVersionStatus(a.State), CreatedAt: a.CreatedAt}
}

// document writes a JSON object property by property. After an error it does nothing more.
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

// name begins a property; names are our own and need no escapes.
func (d *document) name(name string) {
	start := `,"`
	if !d.opened {
		d.opened, start = true, `{"`
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
	d.text("}\n")
	return d.err
}

// array writes a list that is loaded in batches, each from where the last one ended.
func array[From, To any](d *document, name string, load func(store.Page) ([]From, error), id func(From) string, to func(From) To) {
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
