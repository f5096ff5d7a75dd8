package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/playback"
)

// LeaseFor is how long the connections of a process count after it has last renewed its lease.
const LeaseFor = 15 * time.Second

type memberRow struct {
	bun.BaseModel `bun:"table:live_members,alias:c"`

	ConnID      string     `bun:"conn_id,pk"`
	RoomID      string     `bun:"room_id"`
	UserID      string     `bun:"user_id"`
	Counted     bool       `bun:"counted"`
	Epoch       int64      `bun:"epoch"`
	ReadyCue    int64      `bun:"ready_cue"`
	EndedCue    int64      `bun:"ended_cue"`
	DurationMS  int64      `bun:"duration_ms"`
	RTTMS       int        `bun:"rtt_ms"`
	StoppedAt   *time.Time `bun:"stopped_at"`
	SetAsideFor *time.Time `bun:"set_aside_for"`
	Since       time.Time  `bun:"since"`
	Role        string     `bun:"role,scanonly"`
}

func (r memberRow) member() playback.Member {
	return playback.Member{
		ConnID:     r.ConnID,
		UserID:     r.UserID,
		Host:       r.Role == string(watchparty.Host),
		Able:       r.Counted,
		Since:      r.Since,
		Epoch:      r.Epoch,
		ReadyCue:   r.ReadyCue,
		EndedCue:   r.EndedCue,
		DurationMS: r.DurationMS,
		RTT: time.Duration(
			r.RTTMS,
		) * time.Millisecond,
		StoppedAt:   valueOrZero(r.StoppedAt),
		SetAsideFor: valueOrZero(r.SetAsideFor),
	}
}

// readMembers reads the connections to rooms whose leases are alive, by the rooms, in the order of their IDs.
func readMembers(ctx context.Context, db bun.IDB, roomIDs ...string) (map[string][]memberRow, error) {
	members := map[string][]memberRow{}
	if len(roomIDs) == 0 {
		return members, nil
	}
	var rows []memberRow
	err := db.NewRaw(`
		SELECT c.*, coalesce(`+roleInRoom("r.host_id", "c.room_id", "c.user_id")+`, 'viewer') AS role
		FROM live_members AS c
		JOIN live_nodes AS n ON n.id = c.node_id AND n.lease_until > clock_timestamp()
		JOIN rooms AS r ON r.id = c.room_id
		WHERE c.room_id IN (?) ORDER BY c.conn_id`, bun.List(roomIDs)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: read members: %w", err)
	}
	for _, row := range rows {
		members[row.RoomID] = append(members[row.RoomID], row)
	}
	return members, nil
}

// RenewLease renews the lease of a process, so that its connections count. The first call registers the process.
func (s *Store) RenewLease(ctx context.Context, nodeID string) error {
	_, err := s.db.NewRaw(`
		INSERT INTO live_nodes (id, lease_until) VALUES (?0, clock_timestamp() + ?1)
		ON CONFLICT ON CONSTRAINT live_nodes_pkey DO UPDATE SET lease_until = excluded.lease_until, updated_at = now()`,
		nodeID, interval(LeaseFor)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: renew lease: %w", err)
	}
	return nil
}

// EndLease removes a process with its connections, because it stops, or because it died long ago.
func (s *Store) EndLease(ctx context.Context, nodeID string) error {
	if _, err := s.db.NewRaw("DELETE FROM live_nodes WHERE id = ?", nodeID).Exec(ctx); err != nil {
		return fmt.Errorf("store: end lease: %w", err)
	}
	return nil
}

// EndLapsedLeases removes processes whose leases ended a while ago, with their connections.
func (s *Store) EndLapsedLeases(ctx context.Context) error {
	_, err := s.db.NewRaw(`DELETE FROM live_nodes WHERE id IN (
		SELECT id FROM live_nodes WHERE lease_until < clock_timestamp() - ?0 ORDER BY id FOR UPDATE SKIP LOCKED)`,
		interval(4*LeaseFor)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: end lapsed leases: %w", err)
	}
	return nil
}

// Admission has the data that a new connection needs.
type Admission struct {
	User           watchparty.Person
	Standing       watchparty.OwnStanding
	Playback       playback.Snapshot
	AccessVersion  int64 // of the room; see LiveVersion
	AccountVersion int64 // see AccountVersions
}

// AddConnection stores the connection of a person who is in a room, and marks the person as present. The process has to
// have a lease. It returns ErrNotFound, ErrUnauthenticated, ErrBanned, ErrRoomArchived, ErrRoomClosed and
// ErrNotParticipant.
func (s *Store) AddConnection(
	ctx context.Context, nodeID, connID, roomID string, by auth.Identity,
) (admitted Admission, err error) {
	err = s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		admitted = Admission{}
		own, _, err := enterPlayback(ctx, tx, roomID, by, watchparty.MayVote)
		if err != nil {
			return err
		}
		admitted.Standing = own
		if _, err := touchParticipant(ctx, tx, roomID, by.UserID); err != nil {
			return err
		}
		_, err = tx.NewRaw("UPDATE playbacks SET attended_at = clock_timestamp() WHERE room_id = ?", roomID).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewRaw("INSERT INTO live_members (conn_id, node_id, room_id, user_id) VALUES (?, ?, ?, ?)",
			connID, nodeID, roomID, by.UserID).Exec(ctx)
		if err != nil {
			return err
		}
		var now struct {
			User           watchparty.Person `bun:"person,type:json"`
			AccessVersion  int64             `bun:"access_version"`
			AccountVersion int64             `bun:"account_version"`
		}
		err = tx.NewRaw("SELECT r.access_version, u.access_version AS account_version, "+personOf("u.id")+" AS person "+
			"FROM rooms AS r, users AS u WHERE r.id = ? AND u.id = ?", roomID, by.UserID).Scan(ctx, &now)
		if err != nil {
			return err
		}
		admitted.User, admitted.AccessVersion, admitted.AccountVersion = now.User, now.AccessVersion, now.AccountVersion
		all, err := readPlaybacks(ctx, tx, []string{roomID})
		if err == nil && len(all) == 1 {
			admitted.Playback = all[0]
		}
		return err
	})
	return admitted, wrapErr(err, "admit")
}

// RemoveConnections removes connections of a process, and stores that people were connected to their rooms until now.
// It returns the playbacks that have changed, since a room may have waited for one of them.
func (s *Store) RemoveConnections(ctx context.Context, nodeID string, connIDs []string) ([]PlaybackAnswer, error) {
	if len(connIDs) == 0 {
		return nil, nil
	}
	var waiting []string
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		waiting = nil
		var rows []playbackRow
		err := tx.NewRaw(`
			UPDATE playbacks AS b SET attended_at = clock_timestamp() FROM (
				SELECT room_id FROM playbacks WHERE room_id IN (
					SELECT room_id FROM live_members WHERE node_id = ?0 AND conn_id = ANY(?1::uuid[]))
				ORDER BY room_id FOR NO KEY UPDATE) AS theirs
			WHERE b.room_id = theirs.room_id RETURNING b.room_id, b.state`, nodeID, pgdialect.Array(connIDs)).
			Scan(ctx, &rows)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.State == string(playback.Waiting) {
				waiting = append(waiting, row.RoomID)
			}
		}
		_, err = tx.NewRaw(`DELETE FROM live_members WHERE conn_id IN (
			SELECT conn_id FROM live_members WHERE node_id = ?0 AND conn_id = ANY(?1::uuid[]) ORDER BY conn_id FOR UPDATE)`,
			nodeID, pgdialect.Array(connIDs)).Exec(ctx)
		return err
	})
	if err != nil {
		return nil, wrapErr(err, "dismiss")
	}
	slices.Sort(waiting)
	var changed []PlaybackAnswer
	for _, roomID := range waiting {
		answer, err := s.ReportPlayers(ctx, roomID, nil)
		if err != nil && !watchparty.IsKind(err, watchparty.KindNotFound) {
			return changed, err
		}
		if answer.Effects.Changed {
			changed = append(changed, answer)
		}
	}
	return changed, nil
}

// MemberReport is a report of a connection about its player. Zero fields report nothing.
type MemberReport struct {
	ConnID string
	// ReadyCue is the cue that it is ready for, StalledCue the one for which it has had nothing to play for two seconds,
	// and EndedCue the one for which the item is over. A report for another cue than the room's is ignored.
	ReadyCue, StalledCue, EndedCue int64
	DurationMS                     int64 // the duration of the item by the player; with a ReadyCue
	Able                           *bool // whether it can be waited for; see playback.Member
	RTT                            time.Duration
}

// ReportPlayers stores reports of connections to a room, and applies their consequences to the room's playback, in one
// transaction. It returns ErrNotFound for a room that is archived or deleted.
func (s *Store) ReportPlayers(
	ctx context.Context, roomID string, reports []MemberReport,
) (answer PlaybackAnswer, err error) {
	err = s.inTx(WithKind(ctx, PlaybackKind), func(ctx context.Context, tx bun.Tx) error {
		room, err := shareLockRoom(ctx, tx, roomID)
		if err != nil {
			return err
		}
		t := transition{room: room, event: playback.Reported{}}
		if err := t.lock(ctx, tx); err != nil {
			return err
		}
		if err := t.forgetDurations(ctx, tx); err != nil {
			return err
		}
		latest := latestReports(t.row.Cue, reports)
		if err := storeReports(ctx, tx, t.row, slices.Collect(maps.Values(latest))); err != nil {
			return err
		}
		if answer, err = t.apply(ctx, tx); err != nil {
			return err
		}
		for _, report := range reports {
			recovered := latest[report.ConnID].Ready == nil || *latest[report.ConnID].Ready
			if report.StalledCue == 0 || report.StalledCue != t.row.Cue || recovered {
				continue
			}
			t.event = playback.Stalled{ConnID: report.ConnID}
			former := answer
			if answer, err = t.apply(ctx, tx); err != nil {
				return err
			}
			answer.Effects.Changed = answer.Effects.Changed || former.Effects.Changed
		}
		return nil
	})
	return answer, wrapErr(err, "report players")
}

// reportedFields are the fields of a row in live_members that reports change; nil leaves one as it is.
type reportedFields struct {
	ConnID     string `json:"conn_id"`
	Ready      *bool  `json:"ready"`       // for the room's cue
	Ended      bool   `json:"ended"`       // for the room's cue
	DurationMS int64  `json:"duration_ms"` // 0 if it is not reported
	Counted    *bool  `json:"counted"`
	RTTMS      *int64 `json:"rtt_ms"`
	Current    bool   `json:"current"` // whether a report is about the room's cue
}

// maxRTT is the largest round trip that is stored.
const maxRTT = time.Minute

// latestReports returns the latest report of each connection in each field. It ignores reports for other cues.
func latestReports(cue int64, reports []MemberReport) map[string]reportedFields {
	latest := map[string]reportedFields{}
	ready, stalled := true, false
	for _, r := range reports {
		c := latest[r.ConnID]
		c.ConnID = r.ConnID
		if r.ReadyCue == cue && r.ReadyCue != 0 {
			c.Ready, c.Current, c.DurationMS = &ready, true, r.DurationMS
		}
		if r.StalledCue == cue && r.StalledCue != 0 {
			c.Ready, c.Current = &stalled, true
		}
		if r.EndedCue == cue && r.EndedCue != 0 {
			c.Ended, c.Current = true, true
		}
		if r.Able != nil {
			c.Counted = r.Able
		}
		if r.RTT > 0 {
			milliseconds := min(r.RTT, maxRTT).Milliseconds()
			c.RTTMS = &milliseconds
		}
		latest[r.ConnID] = c
	}
	return latest
}

// storeReports stores all reports by one statement, under the lock of the room's playback.
func storeReports(ctx context.Context, tx bun.Tx, room playbackRow, reports []reportedFields) error {
	if len(reports) == 0 {
		return nil
	}
	_, err := tx.NewRaw(`
		WITH told AS (SELECT * FROM jsonb_to_recordset(?0::jsonb) AS t (conn_id uuid, ready boolean, ended boolean,
				duration_ms bigint, counted boolean, rtt_ms integer, current boolean)),
		locked AS (SELECT conn_id FROM live_members WHERE room_id = ?1 AND conn_id IN (SELECT conn_id FROM told)
			ORDER BY conn_id FOR NO KEY UPDATE)
		UPDATE live_members AS c SET updated_at = now(),
			epoch = CASE WHEN t.current THEN ?2 ELSE c.epoch END,
			duration_ms = CASE WHEN t.duration_ms > 0 THEN t.duration_ms WHEN c.epoch <> ?2 THEN 0 ELSE c.duration_ms END,
			ready_cue = CASE WHEN t.ready THEN ?3 WHEN NOT t.ready THEN 0 ELSE c.ready_cue END,
			ended_cue = CASE WHEN t.ended THEN ?3 ELSE c.ended_cue END,
			counted = coalesce(t.counted, c.counted), rtt_ms = coalesce(t.rtt_ms, c.rtt_ms)
		FROM told AS t JOIN locked AS l ON l.conn_id = t.conn_id WHERE c.conn_id = t.conn_id`,
		reports, room.RoomID, room.Epoch, room.Cue).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: store reports: %w", err)
	}
	return nil
}

// KeepPresent marks the people of all connections of a process as present, and their rooms as attended. It passes on
// rooms whose hosts have not been seen for the time silence, and returns the rooms that have another host now.
func (s *Store) KeepPresent(ctx context.Context, nodeID string, silence time.Duration) (passedOn []string, err error) {
	err = s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var came []string
		err := tx.NewRaw(`
			WITH seen AS (
				UPDATE participants AS p SET last_seen_at = now(), updated_at = now() FROM (
					SELECT room_id, user_id, last_seen_at FROM participants WHERE (room_id, user_id) IN (
						SELECT room_id, user_id FROM live_members WHERE node_id = ?0)
					AND last_seen_at < now() - make_interval(secs => ?1)
					ORDER BY room_id, user_id FOR NO KEY UPDATE) AS was
				WHERE p.room_id = was.room_id AND p.user_id = was.user_id
				RETURNING p.room_id, `+cameBack+` AS came)
			SELECT DISTINCT room_id FROM seen WHERE came`, nodeID, presencePrecision.Seconds()).Scan(ctx, &came)
		if err != nil {
			return err
		}
		for _, roomID := range came {
			changesListedRoom(ctx, roomID)
		}
		_, err = tx.NewRaw(`
			UPDATE playbacks AS b SET attended_at = now() FROM (
				SELECT room_id FROM playbacks WHERE state IN ('waiting', 'playing')
					AND room_id IN (SELECT room_id FROM live_members WHERE node_id = ?0)
				ORDER BY room_id FOR NO KEY UPDATE SKIP LOCKED) AS there
			WHERE b.room_id = there.room_id`, nodeID).Exec(ctx)
		return err
	})
	if err != nil {
		return nil, wrapErr(err, "keep present")
	}
	var silent []string
	err = s.db.NewRaw(`
		SELECT r.id FROM rooms AS r WHERE r.id IN (SELECT room_id FROM live_members WHERE node_id = ?0)
			AND `+hostSilent+` ORDER BY r.id`, nodeID, nil, silence.Seconds()).Scan(ctx, &silent)
	if err != nil {
		return nil, wrapErr(err, "silent hosts")
	}
	for _, roomID := range silent {
		passed, err := s.succeedSilent(ctx, roomID, "", silence)
		if err != nil && !watchparty.IsKind(err, watchparty.KindNotFound) {
			return passedOn, err
		}
		if passed {
			passedOn = append(passedOn, roomID)
		}
	}
	return passedOn, nil
}

// LiveConnection is a connection that a process holds.
type LiveConnection struct {
	ConnID string
	RoomID string
	UserID string
}

// RestoreMembers makes connections of a process members again that are not, of people who are still in their rooms: the
// rows are gone if the process could not renew its lease for long.
func (s *Store) RestoreMembers(ctx context.Context, nodeID string, connections []LiveConnection) error {
	if len(connections) == 0 {
		return nil
	}
	var conns, rooms, users []string
	for _, c := range connections {
		conns, rooms, users = append(conns, c.ConnID), append(rooms, c.RoomID), append(users, c.UserID)
	}
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("SELECT FROM rooms WHERE id = ANY(?::uuid[]) ORDER BY id FOR KEY SHARE", pgdialect.Array(rooms)).
			Exec(ctx)
		if err != nil {
			return err
		}
		// As requireActive does for one account.
		_, err = tx.NewRaw("SELECT FROM users AS u WHERE u.id = ANY(?::uuid[]) AND "+active+" ORDER BY u.id FOR SHARE",
			pgdialect.Array(users)).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewRaw(`
			INSERT INTO live_members (conn_id, node_id, room_id, user_id)
			SELECT k.conn_id, ?3, k.room_id, k.user_id
			FROM unnest(?0::uuid[], ?1::uuid[], ?2::uuid[]) AS k (conn_id, room_id, user_id)
			JOIN participants AS p ON p.room_id = k.room_id AND p.user_id = k.user_id
			JOIN users AS u ON u.id = k.user_id AND `+active+`
			ORDER BY k.conn_id ON CONFLICT ON CONSTRAINT live_members_pkey DO NOTHING`,
			pgdialect.Array(conns), pgdialect.Array(rooms), pgdialect.Array(users), nodeID).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: restore members: %w", err)
	}
	return nil
}
