package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type emailAttemptRow struct {
	bun.BaseModel `bun:"table:email_attempts,alias:a"`

	Number    int        `bun:"number"`
	Outcome   string     `bun:"outcome"`
	Answer    string     `bun:"answer"`
	EndedAt   *time.Time `bun:"ended_at"`
	CreatedAt time.Time  `bun:"created_at"`
}

func (r emailAttemptRow) attempt() watchparty.EmailAttempt {
	return watchparty.EmailAttempt{
		Number: r.Number, Outcome: watchparty.EmailOutcome(r.Outcome), Answer: r.Answer,
		StartedAt: r.CreatedAt.UTC(), EndedAt: valueOrZero(r.EndedAt).UTC(),
	}
}

// adminEmailRow is an email with what tells an admin why it is not sent yet.
type adminEmailRow struct {
	bun.BaseModel `bun:"table:emails,alias:e"`
	emailRow      `bun:",extend"`

	RoomID    *string           `bun:"room_id,scanonly"`
	Recipient watchparty.Person `bun:"recipient,type:json,scanonly"`
	Paused    bool              `bun:"paused,scanonly"`
	Pending   bool              `bun:"pending,scanonly"` // its event waits for the relay
	Due       bool              `bun:"due,scanonly"`     // the next attempt
}

func (r adminEmailRow) email() watchparty.Email {
	m := r.emailRow.email()
	m.RoomID, m.Recipient = valueOrZero(r.RoomID), r.Recipient
	if m.State != watchparty.EmailQueued && m.State != watchparty.EmailSending {
		return m
	}
	switch {
	case r.Pending && m.WaitsFor == "": // a worker has begun it otherwise
		m.WaitsFor, m.WaitsUntil = watchparty.WaitRelay, time.Time{}
	case r.Paused:
		m.WaitsFor, m.WaitsUntil = watchparty.WaitPause, time.Time{}
	case r.Due, m.State == watchparty.EmailQueued && m.WaitsFor == "":
		m.WaitsFor = watchparty.WaitWorker
	}
	return m
}

// selectAdminEmails selects adminEmailRows. Without an outbox event, an email that an attempt has never been made for
// waits for a worker.
func selectAdminEmails(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).ColumnExpr("e.*").ColumnExpr(personOf("e.user_id") + " AS recipient").
		ColumnExpr("(SELECT i.room_id FROM invitations AS i WHERE i.id = e.subject_id) AS room_id").
		ColumnExpr("EXISTS (SELECT FROM mail_pauses WHERE " + openPauses + ") AS paused").
		ColumnExpr("EXISTS (SELECT FROM outbox AS o WHERE o.workflow_id = e.workflow_id AND o.signal = '' " +
			"AND o.state = 'pending') AS pending").
		ColumnExpr("coalesce(greatest(e.waits_until, e.next_attempt_at) <= now(), false) AS due")
}

// AdminEmail finds an email by its ID, with what it waits for.
func (s *Store) AdminEmail(ctx context.Context, id string) (watchparty.Email, error) {
	var row adminEmailRow
	err := selectAdminEmails(s.db, &row).Where("e.id = ?", id).Scan(ctx)
	return row.email(), wrapErr(err, "email")
}

// Emails lists emails, newest first, with what they wait for.
func (s *Store) Emails(ctx context.Context, f watchparty.EmailFilter, p Page) ([]watchparty.Email, error) {
	var rows []adminEmailRow
	q := selectAdminEmails(s.db, &rows)
	for _, equal := range []struct{ column, value string }{
		{"e.kind", string(f.Kind)}, {"e.state", string(f.State)}, {"e.reason", string(f.Reason)}, {"e.user_id", f.UserID},
		{"e.subject_id", f.InvitationID},
	} {
		if equal.value != "" {
			q = q.Where("? = ?", bun.Safe(equal.column), equal.value)
		}
	}
	if f.RoomID != "" {
		q = q.Where("e.subject_id IN (SELECT id FROM invitations WHERE room_id = ?)", f.RoomID)
	}
	if f.Address != "" {
		q = s.whereRecipient(q, f.Address)
	}
	if !f.From.IsZero() {
		q = q.Where("e.created_at >= ?", f.From)
	}
	if !f.To.IsZero() {
		q = q.Where("e.created_at < ?", f.To)
	}
	if err := p.of(q, descending, "e.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: emails: %w", err)
	}
	return mapRows(rows, adminEmailRow.email), nil
}

// whereRecipient selects the emails to an address. Emails of former versions have no hash of it: they are found by the
// account and the invitations that have the address now.
func (s *Store) whereRecipient(q *bun.SelectQuery, typed string) *bun.SelectQuery {
	keys := []string{watchparty.AccountKey(typed), ":" + strings.ToLower(strings.TrimSpace(typed))}
	var hashes [][]byte
	for _, key := range keys {
		hashes = append(hashes, s.recipientKey(key))
		hashes = append(hashes, s.digests.Former("email-recipient", key)...)
	}
	return q.Where("e.recipient_hash IN (?) OR e.recipient_hash IS NULL AND ("+
		"e.user_id IN (SELECT id FROM users WHERE email_key IN (?)) OR "+
		"e.subject_id IN (SELECT id FROM invitations WHERE email_key IN (?)))",
		bun.List(hashes), bun.List(keys), bun.List(keys))
}

// EmailAttempts lists all attempts at an email, the first one first: no more than the retry policy allows.
func (s *Store) EmailAttempts(ctx context.Context, id string) ([]watchparty.EmailAttempt, error) {
	var rows []emailAttemptRow
	if err := s.db.NewSelect().Model(&rows).Where("email_id = ?", id).Order("number").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: email's attempts: %w", err)
	}
	return mapRows(rows, emailAttemptRow.attempt), nil
}

// openPauses is the condition of the pause that lasts, if there is one.
const openPauses = "resumed_at IS NULL"

// EmailPause says whether emails wait, and how many are still to be sent.
func (s *Store) EmailPause(ctx context.Context) (watchparty.EmailPause, error) {
	var row struct {
		PausedAt *time.Time `bun:"paused_at"`
		Waiting  int        `bun:"waiting"`
	}
	err := s.db.NewRaw(`SELECT (SELECT created_at FROM mail_pauses WHERE `+openPauses+`) AS paused_at,
		(SELECT count(*) FROM emails WHERE `+unfinished+`) AS waiting`).Scan(ctx, &row)
	if err != nil {
		return watchparty.EmailPause{}, fmt.Errorf("store: email pause: %w", err)
	}
	return watchparty.EmailPause{PausedAt: valueOrZero(row.PausedAt).UTC(), Waiting: row.Waiting}, nil
}

// EmailsPaused reports whether emails wait.
func (s *Store) EmailsPaused(ctx context.Context) (bool, error) {
	var paused bool
	if err := s.db.NewRaw("SELECT EXISTS (SELECT FROM mail_pauses WHERE "+openPauses+")").Scan(ctx, &paused); err != nil {
		return false, fmt.Errorf("store: emails paused: %w", err)
	}
	return paused, nil
}
