package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
)

// LiveKey identifies a connection whose standing is to be read.
type LiveKey struct {
	RoomID, UserID, SessionID string
}

// LiveStanding is what the person of a connection may do now.
type LiveStanding struct {
	// Err is nil while the person may stay connected. It is one of ErrUnauthenticated, ErrNotFound, ErrBanned,
	// ErrRoomArchived, ErrRoomClosed and ErrNotParticipant.
	Err            error
	Standing       watchparty.OwnStanding
	AccessVersion  int64
	AccountVersion int64
}

// standingRow is what decides whether the person of a connection may stay connected.
type standingRow struct {
	There          bool       `bun:"there"`
	Archived       bool       `bun:"archived"`
	Closed         bool       `bun:"closed"`
	Private        bool       `bun:"private"`
	Role           string     `bun:"role"`
	Banned         bool       `bun:"banned"`
	Joined         bool       `bun:"joined"`
	SignedIn       bool       `bun:"signed_in"`
	Until          *time.Time `bun:"until"`
	Control        string     `bun:"control"`
	Queue          string     `bun:"queue"`
	AccessVersion  int64      `bun:"access_version"`
	AccountVersion int64      `bun:"account_version"`
}

func (r standingRow) standing() LiveStanding {
	standing := LiveStanding{
		AccessVersion: r.AccessVersion, AccountVersion: r.AccountVersion, Standing: watchparty.OwnStanding{
			Role: cmp.Or(watchparty.Role(r.Role), watchparty.Viewer), Joined: r.Joined, MutedUntil: valueOrZero(r.Until).UTC(),
			Access: watchparty.RoomAccess{Control: watchparty.AccessLevel(r.Control), Queue: watchparty.AccessLevel(r.Queue)},
		},
	}
	switch {
	case !r.SignedIn:
		standing.Err = watchparty.ErrUnauthenticated
	case r.Banned:
		standing.Err = watchparty.ErrBanned
	case !r.There, r.Role == "" && r.Private:
		standing.Err = watchparty.ErrNotFound
	case r.Archived:
		standing.Err = closedError(r.Closed)
	case !r.Joined:
		standing.Err = watchparty.ErrNotParticipant
	}
	return standing
}

// LiveStandings reads the standings of connections, in their order, in one statement that reads no cache.
func (s *Store) LiveStandings(ctx context.Context, keys []LiveKey) ([]LiveStanding, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	var rooms, users, sessions []string
	for _, key := range keys {
		rooms, users, sessions = append(rooms, key.RoomID), append(users, key.UserID), append(sessions, key.SessionID)
	}
	var rows []standingRow
	err := s.db.NewRaw(`
		SELECT r.id IS NOT NULL AS there, r.archived_at IS NOT NULL AS archived, r.closed_at IS NOT NULL AS closed,
			coalesce(r.visibility = 'private', false) AS private,
			coalesce(`+roleInRoom("r.host_id", "r.id", "k.user_id")+`, '') AS role,
			`+isBanned("k.room_id", "k.user_id")+` AS banned,
			EXISTS (SELECT FROM participants WHERE room_id = k.room_id AND user_id = k.user_id) AS joined,
			u.id IS NOT NULL AND EXISTS (
				SELECT FROM sessions WHERE family_id = k.session_id AND user_id = k.user_id AND `+live+`) AS signed_in,
			(SELECT until FROM mutes WHERE room_id = k.room_id AND user_id = k.user_id AND until > now()) AS until,
			coalesce(r.control, '') AS control, coalesce(r.queue, '') AS queue,
			coalesce(r.access_version, 0) AS access_version, coalesce(u.access_version, 0) AS account_version
		FROM unnest(?0::uuid[], ?1::uuid[], ?2::uuid[]) WITH ORDINALITY AS k (room_id, user_id, session_id, n)
		LEFT JOIN rooms AS r ON r.id = k.room_id AND `+roomThere+`
		LEFT JOIN users AS u ON u.id = k.user_id AND `+active+`
		ORDER BY k.n`, pgdialect.Array(rooms), pgdialect.Array(users), pgdialect.Array(sessions)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: live standings: %w", err)
	}
	return mapRows(rows, standingRow.standing), nil
}

// AccountVersions reads the version numbers of accounts, by their IDs: they count ended sign-ins, suspensions and
// changes of names. An account without a row is left out.
func (s *Store) AccountVersions(ctx context.Context, userIDs []string) (map[string]int64, error) {
	var rows []struct {
		ID      string `bun:"id"`
		Version int64  `bun:"access_version"`
	}
	if len(userIDs) == 0 {
		return nil, nil
	}
	err := s.db.NewRaw("SELECT id, access_version FROM users WHERE id = ANY(?::uuid[])", pgdialect.Array(userIDs)).
		Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: account versions: %w", err)
	}
	versions := make(map[string]int64, len(rows))
	for _, row := range rows {
		versions[row.ID] = row.Version
	}
	return versions, nil
}

// HiddenAccounts returns those of the accounts whose content is hidden.
func (s *Store) HiddenAccounts(ctx context.Context, userIDs []string) (hidden []string, err error) {
	err = s.db.NewRaw("SELECT id FROM users WHERE id = ANY(?::uuid[]) AND hidden_at IS NOT NULL ORDER BY id",
		pgdialect.Array(userIDs)).Scan(ctx, &hidden)
	if err != nil {
		return nil, fmt.Errorf("store: hidden accounts: %w", err)
	}
	return hidden, nil
}

// countAccess counts a change of people's rights in rooms whose locks the caller holds. Changes of the rooms' own
// columns are counted by a trigger.
func countAccess(ctx context.Context, tx bun.Tx, roomIDs ...string) error {
	if len(roomIDs) == 0 {
		return nil
	}
	_, err := tx.NewRaw("UPDATE rooms SET access_version = access_version + 1 WHERE id IN (?)", bun.List(roomIDs)).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: count access: %w", err)
	}
	return nil
}
