package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/workflows/job"
)

type avatarRow struct {
	bun.BaseModel `bun:"table:avatars,alias:a"`

	ID        string     `bun:"id,pk"`
	UserID    string     `bun:"user_id"`
	Version   int        `bun:"version"`
	State     string     `bun:"state"`
	Step      string     `bun:"step"`
	Files     []string   `bun:"files,array"`
	Reason    string     `bun:"reason"`
	Published *time.Time `bun:"published_at"`
	CreatedAt time.Time  `bun:"created_at"`
	UpdatedAt time.Time  `bun:"updated_at"`
}

func (r avatarRow) avatar() watchparty.Avatar {
	return watchparty.Avatar{
		ID: r.ID, UserID: r.UserID, Version: r.Version, State: watchparty.AvatarState(r.State),
		Step: watchparty.AvatarStep(r.Step), Files: r.Files, Reason: r.Reason, PublishedAt: valueOrZero(r.Published).UTC(),
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}

// NextAvatarVersion reserves a version for an upload before its file is stored. A version that is never used leaves a
// gap.
func (s *Store) NextAvatarVersion(ctx context.Context, userID string) (int, error) {
	var version int
	err := s.db.NewUpdate().Model((*userRow)(nil)).Set("avatar_seq = avatar_seq + 1").
		Where("id = ?", userID).Where(active).Returning("avatar_seq").Scan(ctx, &version)
	return version, wrapErr(foundActive(err), "next avatar version")
}

// CreateAvatar stores an upload whose file is in the bucket, and the event that starts its workflow. It returns
// ErrUnauthenticated if the account is suspended, or deleted: nobody would remove the file then.
func (s *Store) CreateAvatar(ctx context.Context, userID string, version int) (watchparty.Avatar, error) {
	now := Now()
	row := avatarRow{
		ID: newID(), UserID: userID, Version: version, State: string(watchparty.AvatarProcessing),
		Step: string(watchparty.AvatarQueued), Files: []string{}, CreatedAt: now, UpdatedAt: now,
	}
	err := s.withEvent(ctx, func(ctx context.Context, tx bun.Tx) (job.Event, error) {
		if err := requireActive(ctx, tx, userID); err != nil {
			return job.Event{}, err
		}
		_, err := tx.NewInsert().Model(&row).Exec(ctx)
		return job.AvatarEvent(job.AvatarInput{UserID: userID, Version: version}), err
	})
	return row.avatar(), wrapErr(err, "create avatar")
}

// NewestAvatar finds a user's newest upload, whatever its state.
func (s *Store) NewestAvatar(ctx context.Context, userID string) (watchparty.Avatar, error) {
	var row avatarRow
	err := s.db.NewSelect().Model(&row).Where("user_id = ?", userID).Order("version DESC").Limit(1).Scan(ctx)
	return row.avatar(), wrapErr(err, "newest avatar")
}

// Avatar finds one upload.
func (s *Store) Avatar(ctx context.Context, userID string, version int) (watchparty.Avatar, error) {
	var row avatarRow
	err := s.db.NewSelect().Model(&row).Where("user_id = ? AND version = ?", userID, version).Scan(ctx)
	return row.avatar(), wrapErr(err, "avatar")
}

// BeginAvatar marks an upload as being rendered, unless it has ended, and returns it. If a newer upload exists that has
// not failed, it ends this one as superseded, since nobody would see the picture. It keeps what an earlier attempt has
// stored, because this attempt may be the late one.
func (s *Store) BeginAvatar(ctx context.Context, userID string, version int) (watchparty.Avatar, error) {
	const overtaken = `EXISTS (SELECT FROM avatars AS newer
		WHERE newer.user_id = ?TableAlias.user_id AND newer.version > ?TableAlias.version
			AND newer.state IN ('processing', 'ready'))`
	q := s.db.NewUpdate().Model((*avatarRow)(nil)).Set("step = ?", string(watchparty.AvatarRendering)).
		Set("state = CASE WHEN "+overtaken+" THEN ? ELSE ?TableAlias.state END", string(watchparty.AvatarSuperseded))
	if err := advance(ctx, q, userID, version); err != nil {
		return watchparty.Avatar{}, err
	}
	return s.Avatar(ctx, userID, version)
}

// MarkAvatarRendered stores the names of an upload's rendered files, unless the upload has ended.
func (s *Store) MarkAvatarRendered(ctx context.Context, userID string, version int, files []string) error {
	q := s.db.NewUpdate().Model((*avatarRow)(nil)).
		Set("step = ?", string(watchparty.AvatarPublishing)).Set("files = ?", pgdialect.Array(files))
	return advance(ctx, q, userID, version)
}

func advance(ctx context.Context, q *bun.UpdateQuery, userID string, version int) error {
	_, err := q.Set("updated_at = now()").Where("user_id = ? AND version = ? AND state = 'processing'", userID, version).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: advance avatar: %w", err)
	}
	return nil
}

// AvatarStates finds those of the given uploads, by user and version, that exist.
func (s *Store) AvatarStates(ctx context.Context, uploads []watchparty.Avatar) ([]watchparty.Avatar, error) {
	users, versions := make([]string, len(uploads)), make([]int, len(uploads))
	for i, u := range uploads {
		users[i], versions[i] = u.UserID, u.Version
	}
	var rows []avatarRow
	err := s.db.NewSelect().Model(&rows).
		Where("(user_id, version) IN (SELECT * FROM unnest(?::uuid[], ?::integer[]))", pgdialect.Array(users),
			pgdialect.Array(versions)).
		Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: avatar states: %w", err)
	}
	return mapRows(rows, avatarRow.avatar), nil
}

// PublishAvatar makes a rendered upload its user's avatar, unless a newer one was published or the upload was removed
// meanwhile. It returns the state of the upload after that: ready or superseded. Repeating it changes nothing.
func (s *Store) PublishAvatar(ctx context.Context, userID string, version int) (watchparty.AvatarState, error) {
	var row avatarRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		// The user is locked first, as in RemoveAvatar, so that the two cannot deadlock.
		var user userRow
		err := tx.NewSelect().Model(&user).Column("id", "username").Where("id = ?", userID).For("NO KEY UPDATE").Scan(ctx)
		if err != nil {
			return err
		}
		err = tx.NewSelect().Model(&row).Where("user_id = ? AND version = ?", userID, version).For("UPDATE").Scan(ctx)
		if err != nil || row.State != string(watchparty.AvatarProcessing) {
			return err
		}
		result, err := tx.NewUpdate().Model((*userRow)(nil)).
			Set("avatar_version = ?", version).Set("avatar_files = ?", pgdialect.Array(row.Files)).Set("updated_at = now()").
			Where("id = ? AND avatar_version < ?", userID, version).Exec(ctx)
		if err != nil {
			return err
		}
		row.State = string(watchparty.AvatarReady)
		if affected(result) {
			changes(ctx, coherence.TagProfile(user.Username), coherence.TagPerson(userID))
		} else {
			row.State = string(watchparty.AvatarSuperseded)
		}
		if err := supersedeReady(ctx, tx, userID, version); err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model(&row).Column("state").Set("published_at = CASE WHEN ? THEN now() END",
			affected(result)).
			Set("updated_at = now()").WherePK().Exec(ctx)
		return err
	})
	return watchparty.AvatarState(row.State), wrapErr(err, "publish avatar")
}

// supersedeReady marks the published uploads that are older than version as superseded.
func supersedeReady(ctx context.Context, tx bun.Tx, userID string, version int) error {
	_, err := tx.NewUpdate().Model((*avatarRow)(nil)).
		Set("state = ?", string(watchparty.AvatarSuperseded)).Set("updated_at = now()").
		Where("user_id = ? AND version < ? AND state = 'ready'", userID, version).Exec(ctx)
	return err
}

// FailAvatar ends an upload with a reason for its user. An upload that has ended otherwise stays as it is.
func (s *Store) FailAvatar(ctx context.Context, userID string, version int, reason string) error {
	_, err := s.db.NewUpdate().Model((*avatarRow)(nil)).
		Set("state = ?", string(watchparty.AvatarFailed)).Set("reason = ?", reason).Set("updated_at = now()").
		Where("user_id = ? AND version = ? AND state = 'processing'", userID, version).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: fail avatar: %w", err)
	}
	return nil
}

// RemoveAvatar removes a user's avatar and supersedes every upload that is still being processed. It adds an event that
// deletes the avatar's files; the workflows of the uploads delete theirs.
func (s *Store) RemoveAvatar(ctx context.Context, userID string) error {
	published := 0
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var user userRow
		err := tx.NewSelect().Model(&user).Column("username", "avatar_version").Where("id = ?", userID).
			For("NO KEY UPDATE").Scan(ctx)
		if err != nil {
			return err
		}
		published = user.AvatarVersion
		_, err = tx.NewUpdate().Model((*avatarRow)(nil)).
			Set("state = ?", string(watchparty.AvatarSuperseded)).Set("updated_at = now()").
			Where("user_id = ? AND state IN ('processing', 'ready')", userID).Exec(ctx)
		if err != nil || published == 0 {
			return err
		}
		changes(ctx, coherence.TagProfile(user.Username), coherence.TagPerson(userID))
		_, err = tx.NewUpdate().Model((*userRow)(nil)).Set("avatar_version = 0").Set("updated_at = now()").
			Where("id = ?", userID).Exec(ctx)
		if err != nil {
			return err
		}
		return outbox.Add(ctx, tx, job.AvatarRemovalEvent(job.AvatarInput{UserID: userID, Version: published}))
	})
	if err == nil && published != 0 {
		s.events.Send()
	}
	return wrapErr(err, "remove avatar")
}
