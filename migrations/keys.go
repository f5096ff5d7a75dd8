package migrations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty"
)

// keyBatch is how many addresses are given their keys in one transaction.
const keyBatch = 1000

// unkeyed is the condition of the indexes of what has no key yet, or one that only its own spelling finds.
const unkeyed = "(t.email_key IS NULL OR t.email_key LIKE ':%')"

// keyAddresses gives every stored address its key. It can be repeated at any time, also after it was stopped in the
// middle: what is done is not looked at again, but for what is found by its own spelling only. Such an account gets the
// key of its address once that is free.
func keyAddresses(ctx context.Context, db *bun.DB) error {
	for _, key := range []func(context.Context, *bun.DB, string) (string, error){keyUsers, keyInvitations,
		keyVerifications} {
		after := "00000000-0000-0000-0000-000000000000"
		for after != "" {
			var err error
			if after, err = again(ctx, db, after, key); err != nil {
				return fmt.Errorf("key addresses: %w", err)
			}
		}
	}
	return nil
}

// again repeats a batch whose addresses somebody else took meanwhile.
func again(
	ctx context.Context, db *bun.DB, after string, key func(context.Context, *bun.DB, string) (string, error),
) (next string, err error) {
	const attempts = 5
	for range attempts {
		next, err = key(ctx, db, after)
		var e pgdriver.Error
		if !errors.As(err, &e) || !e.IntegrityViolation() {
			return next, err
		}
	}
	return next, err
}

// keyed is one address and the key that it gets. Without one, its own spelling finds it: users_email_key and the index
// before this one have kept spellings apart, by Postgres' idea of lower case.
type keyed struct {
	ID    string
	Email string
	Key   string
}

// setKeys changes no row whose address was changed since it was read.
func setKeys(ctx context.Context, db bun.IDB, table string, rows []keyed) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := db.NewRaw(`
		UPDATE ? AS t SET email_key = CASE WHEN k.key = '' THEN ':' || lower(t.email) ELSE k.key END
		FROM (?) AS k (id, email, key) WHERE t.id = k.id::uuid AND t.email = k.email`,
		bun.Ident(table), db.NewValues(&rows)).Exec(ctx)
	return err
}

// keyOf is empty for what is no address.
func keyOf(email string) string {
	a, err := watchparty.ParseAddress(email)
	if err != nil {
		return ""
	}
	return a.Key()
}

type account struct {
	ID        string
	Email     string
	EmailKey  *string
	Confirmed bool
	CreatedAt time.Time
}

// before is the order in which accounts get the key of an address that they share: those that have confirmed it, then
// the older ones.
func (a account) before(b account) bool {
	switch {
	case a.Confirmed != b.Confirmed:
		return a.Confirmed
	case !a.CreatedAt.Equal(b.CreatedAt):
		return a.CreatedAt.Before(b.CreatedAt)
	}
	return a.ID < b.ID
}

const accountColumns = "t.id, t.email, t.email_key, t.email_verified_at IS NOT NULL AS confirmed, t.created_at"

// keyUsers returns the ID after which the next batch begins, empty after the last one.
func keyUsers(ctx context.Context, db *bun.DB, after string) (next string, err error) {
	err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var batch, holders []account
		err := tx.NewRaw("SELECT "+accountColumns+" FROM users AS t WHERE "+unkeyed+" AND t.id > ? "+
			"ORDER BY t.id LIMIT ? FOR NO KEY UPDATE", after, keyBatch).Scan(ctx, &batch)
		if err != nil || len(batch) == 0 {
			return err
		}
		next = batch[len(batch)-1].ID
		winners := map[string]account{}
		for _, a := range batch {
			key := keyOf(a.Email)
			if former, taken := winners[key]; key != "" && (!taken || a.before(former)) {
				winners[key] = a
			}
		}
		keys := make([]string, 0, len(winners))
		for key := range winners {
			keys = append(keys, key)
		}
		if len(keys) > 0 {
			err = tx.NewRaw("SELECT "+accountColumns+" FROM users AS t WHERE t.email_key IN (?) FOR NO KEY UPDATE",
				bun.List(keys)).Scan(ctx, &holders)
			if err != nil {
				return err
			}
		}
		var change []keyed
		for _, holder := range holders {
			switch winner := winners[*holder.EmailKey]; {
			case winner.ID == holder.ID:
			case winner.before(holder):
				change = append(change, keyed{holder.ID, holder.Email, ""})
			default:
				winners[*holder.EmailKey] = holder
			}
		}
		// The former holders first: their keys have to be free.
		if err := setKeys(ctx, tx, "users", change); err != nil {
			return err
		}
		change = nil
		for _, a := range batch {
			key := keyOf(a.Email)
			if winners[key].ID != a.ID {
				key = ""
			}
			if a.EmailKey == nil || key != "" {
				change = append(change, keyed{a.ID, a.Email, key})
			}
		}
		return setKeys(ctx, tx, "users", change)
	})
	return next, err
}

// keyInvitations leaves the second of two open invitations to one address in a room found by its spelling: it ends by
// its time.
func keyInvitations(ctx context.Context, db *bun.DB, after string) (next string, err error) {
	var batch []struct {
		ID, RoomID, Email string
		EmailKey          *string
		Open              bool
	}
	err = db.NewRaw("SELECT t.id, t.room_id, t.email, t.email_key, t.state = 'open' AS open "+
		"FROM invitations AS t WHERE "+unkeyed+
		" AND t.id > ? ORDER BY t.id LIMIT ?", after, keyBatch).
		Scan(ctx, &batch)
	if err != nil || len(batch) == 0 {
		return "", err
	}
	type place struct{ RoomID, EmailKey string }
	taken := map[place]bool{}
	var rooms, keys []string
	for _, i := range batch {
		if i.Open {
			rooms, keys = append(rooms, i.RoomID), append(keys, keyOf(i.Email))
		}
	}
	if len(rooms) > 0 {
		var held []place
		err := db.NewRaw("SELECT room_id, email_key FROM invitations WHERE state = 'open' AND room_id IN (?) "+
			"AND email_key IN (?)",
			bun.List(rooms), bun.List(keys)).
			Scan(ctx, &held)
		if err != nil {
			return "", err
		}
		for _, p := range held {
			taken[p] = true
		}
	}
	var change []keyed
	for _, i := range batch {
		p := place{i.RoomID, keyOf(i.Email)}
		key := p.EmailKey
		if i.Open && taken[p] {
			key = ""
		}
		taken[p] = taken[p] || i.Open
		if i.EmailKey == nil || key != "" {
			change = append(change, keyed{i.ID, i.Email, key})
		}
	}
	return batch[len(batch)-1].ID, setKeys(ctx, db, "invitations", change)
}

// keyVerifications gives what confirms an account's own address the account's key, whichever that is.
func keyVerifications(ctx context.Context, db *bun.DB, after string) (string, error) {
	var batch []struct {
		ID, Email, UserKey string
		EmailKey           *string
		Own                bool
	}
	err := db.NewRaw(`
		SELECT t.id, t.email, t.email_key, coalesce(u.email_key, '') AS user_key, lower(u.email) = lower(t.email) AS own
		FROM email_verifications AS t JOIN users AS u ON u.id = t.user_id
		WHERE `+unkeyed+" AND t.id > ? ORDER BY t.id LIMIT ?", after, keyBatch).Scan(ctx, &batch)
	if err != nil || len(batch) == 0 {
		return "", err
	}
	var change []keyed
	for _, v := range batch {
		key := keyOf(v.Email)
		if v.Own && v.UserKey != "" {
			key = v.UserKey
		}
		if v.EmailKey == nil || key != "" && *v.EmailKey != key {
			change = append(change, keyed{v.ID, v.Email, key})
		}
	}
	return batch[len(batch)-1].ID, setKeys(ctx, db, "email_verifications", change)
}
