package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// SetEmailLimit sets how many emails one person may request in an hour; the sizes of all budgets follow from that. 0,
// the default, is no limit. Call it before the first use of the store.
func (s *Store) SetEmailLimit(emails int) { s.emailLimit = emails }

type clientKey struct{}

// WithClient returns a context with the client that sends the request: its network address, or the prefix of it that
// one customer has.
func WithClient(ctx context.Context, client string) context.Context {
	return context.WithValue(ctx, clientKey{}, client)
}

// expense is one email that counts against the budget of one subject: an address, an account, or a client.
type expense struct {
	budget  watchparty.EmailBudget
	subject string
}

// chargeRequester counts an email that is about to be queued against the budgets of the account or address that
// requests it, and of the client. It runs in the transaction that queues the email. It returns an error of KindLimited
// if one of the budgets is used up.
func (s *Store) chargeRequester(ctx context.Context, tx bun.Tx, kind watchparty.EmailKind, requester string) error {
	rule, _ := kind.Rule()
	var all []expense
	if rule.Requester != "" && requester != "" {
		all = append(all, expense{rule.Requester, requester})
	}
	if client, _ := ctx.Value(clientKey{}).(string); rule.Client != "" && client != "" {
		all = append(all, expense{rule.Client, client})
	}
	wait, err := s.spend(ctx, tx, all)
	if err == nil && wait > 0 {
		return watchparty.TooManyEmails(wait)
	}
	return err
}

// AdmitEmail counts an email against the budgets of its recipient and returns 0. If one of them is used up, it counts
// nothing, stores in waits_until until when the email waits, and returns for how long. An email counts once, however
// often it is tried. Budgets belong to addresses, so they outlive accounts. It also stores the hash of the address: an
// account may have another one than when the email was queued.
func (s *Store) AdmitEmail(ctx context.Context, id string, to watchparty.Address) (wait time.Duration, err error) {
	err = s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		wait = 0
		row, err := lockEmail(ctx, tx, id)
		if err != nil || row.CountedAt != nil || row.email().Ended() {
			return err
		}
		rule, _ := watchparty.EmailKind(row.Kind).Rule()
		var all []expense
		for _, budget := range rule.Recipient {
			all = append(all, expense{budget, to.Key()})
		}
		if wait, err = s.spend(ctx, tx, all); err != nil {
			return err
		}
		if wait > 0 {
			_, err = tx.NewRaw("UPDATE emails SET waits_until = clock_timestamp() + ? * interval '1 us', "+
				"updated_at = now(), recipient_hash = ? WHERE id = ?",
				wait.Microseconds(), s.recipientKey(to.Key()), id).
				Exec(ctx)
			return err
		}
		_, err = tx.NewRaw("UPDATE emails SET counted_at = now(), waits_until = NULL, recipient_hash = ? WHERE id = ?",
			s.recipientKey(to.Key()), id).Exec(ctx)
		return err
	})
	return wait, wrapErr(err, "admit email")
}

// The spans of time that a budget's limit is for.
const (
	budgetHour = "interval '1 h'"
	budgetDay  = "interval '24 h'"
)

// spend counts one email against all of the budgets and returns 0; or, when one of them is used up, it counts nothing
// and returns for how long. Each subject's row is locked until the transaction ends, so there are never more within an
// hour or a day than the limit, whoever asks at the same time.
func (s *Store) spend(ctx context.Context, tx bun.Tx, all []expense) (time.Duration, error) {
	if s.emailLimit == 0 || len(all) == 0 {
		return 0, nil
	}
	// In one order, so that transactions do not lock each other's rows.
	slices.SortFunc(all, func(a, b expense) int { return strings.Compare(string(a.budget), string(b.budget)) })
	var (
		wait time.Duration
		ids  []string
	)
	for _, e := range all { // three at most
		limit := e.budget.Limit(s.emailLimit)
		var row struct {
			ID   string
			Wait float64 // seconds
		}
		err := tx.NewRaw(`
			INSERT INTO email_budgets AS b (id, budget, subject_hash) VALUES (?0, ?1, ?2)
			ON CONFLICT ON CONSTRAINT email_budgets_subject_key DO UPDATE SET updated_at = now()
			RETURNING b.id, coalesce(extract(epoch FROM greatest(
				b.times[cardinality(b.times) + 1 - ?3] + `+budgetHour+`,
				b.times[cardinality(b.times) + 1 - ?4] + `+budgetDay+`) - clock_timestamp()), 0)::float8 AS wait`,
			newID(), string(e.budget), s.digests.Sum("email-budget", string(e.budget), e.subject), limit.Hour, limit.Day).
			Scan(ctx, &row)
		if err != nil {
			return 0, fmt.Errorf("store: %s's budget of emails: %w", e.budget, err)
		}
		ids = append(ids, row.ID)
		if row.Wait > 0 {
			wait = max(wait, time.Duration(row.Wait*float64(time.Second))+time.Millisecond)
		}
	}
	if wait > 0 {
		return wait, nil
	}
	_, err := tx.NewRaw(`
		UPDATE email_budgets SET expires_at = clock_timestamp() + `+budgetDay+`, updated_at = now(),
			times = ARRAY(SELECT t FROM unnest(times) AS t WHERE t > clock_timestamp() - `+budgetDay+`
				ORDER BY t) || clock_timestamp()
		WHERE id IN (?)`, bun.List(ids)).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("store: count email: %w", err)
	}
	return 0, nil
}
