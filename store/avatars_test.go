package store

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// uploadAvatar stores the next version's upload.
func uploadAvatar(t *testing.T, s *Store, user watchparty.User) int {
	t.Helper()
	version, err := s.NextAvatarVersion(t.Context(), user.ID)
	require.NoError(t, err)
	_, err = s.CreateAvatar(t.Context(), user.ID, version)
	require.NoError(t, err)
	return version
}

func publishAvatar(t *testing.T, s *Store, user watchparty.User, version int) watchparty.AvatarState {
	t.Helper()
	state, err := s.PublishAvatar(t.Context(), user.ID, version)
	require.NoError(t, err)
	return state
}

func readAvatar(t *testing.T, s *Store, user watchparty.User, version int) watchparty.Avatar {
	t.Helper()
	a, err := s.Avatar(t.Context(), user.ID, version)
	require.NoError(t, err)
	return a
}

func avatarState(t *testing.T, s *Store, user watchparty.User, version int) watchparty.AvatarState {
	t.Helper()
	return readAvatar(t, s, user, version).State
}

func readPublishedVersion(t *testing.T, s *Store, user watchparty.User) int {
	t.Helper()
	user, err := s.User(t.Context(), user.ID)
	require.NoError(t, err)
	return user.AvatarVersion
}

func TestAvatarUploads(t *testing.T) {
	t.Parallel()
	s := openStore(t)

	t.Run("versions count up for each user", func(t *testing.T) {
		ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
		require.Equal(t, 1, uploadAvatar(t, s, ada))
		require.Equal(t, 2, uploadAvatar(t, s, ada))
		require.Equal(t, 1, uploadAvatar(t, s, bob))
		_, err := s.NextAvatarVersion(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
	})

	t.Run("no version is given twice", func(t *testing.T) {
		user := newUser(t, s, "busy")
		const uploads = 30
		var (
			wg       sync.WaitGroup
			versions [uploads]int
			errs     [uploads]error
		)
		for i := range uploads {
			wg.Go(func() { versions[i], errs[i] = s.NextAvatarVersion(t.Context(), user.ID) })
		}
		wg.Wait()
		seen := map[int]bool{}
		for i, version := range versions {
			require.NoError(t, errs[i])
			require.False(t, seen[version], "version %d", version)
			seen[version] = true
		}
	})

	t.Run("an upload comes with its event", func(t *testing.T) {
		user := newUser(t, s, "carl")
		drain(s.Events())
		version := uploadAvatar(t, s, user)
		require.Len(t, s.Events(), 1)
		newest, err := s.NewestAvatar(t.Context(), user.ID)
		require.NoError(t, err)
		require.Equal(t, version, newest.Version)
		require.Equal(t, watchparty.AvatarProcessing, newest.State)
		input := readValue[string](t, s, "SELECT input::text FROM outbox WHERE workflow_id = ?", "avatar/"+user.ID+"/1")
		require.JSONEq(t, fmt.Sprintf(`{"user_id": %q, "version": 1}`, user.ID), input)

		_, err = s.CreateAvatar(t.Context(), user.ID, version)
		require.Error(t, err, "a version is one upload")
		require.Len(t, s.Events(), 1)
		require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM avatars WHERE user_id = ?", user.ID))
	})

	t.Run("unknown", func(t *testing.T) {
		_, err := s.NewestAvatar(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		_, err = s.Avatar(t.Context(), newID(), 1)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		_, err = s.PublishAvatar(t.Context(), newID(), 1)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		err = s.RemoveAvatar(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
	})
}

func TestAvatarSteps(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	user := newUser(t, s, "ada")
	version := uploadAvatar(t, s, user)
	files := []string{watchparty.ThumbnailFile, watchparty.MediumFile, watchparty.PNGFile}
	require.Equal(t, watchparty.AvatarQueued, readAvatar(t, s, user, version).Step)

	for _, noted := range [][]string{{}, files} { // the second time is a repetition after a worker's end
		begun, err := s.BeginAvatar(t.Context(), user.ID, version)
		require.NoError(t, err)
		require.Equal(t, watchparty.AvatarRendering, begun.Step)
		require.Equal(t, noted, begun.Files, "an attempt that is late takes nothing away")
		require.Equal(t, begun, readAvatar(t, s, user, version))
		require.NoError(t, s.MarkAvatarRendered(t.Context(), user.ID, version, files))
		require.Equal(t, watchparty.AvatarPublishing, readAvatar(t, s, user, version).Step)
		require.Equal(t, files, readAvatar(t, s, user, version).Files)
	}

	publishAvatar(t, s, user, version)
	owner, err := s.User(t.Context(), user.ID)
	require.NoError(t, err)
	require.Equal(t, files, owner.AvatarFiles)

	before := readAvatar(t, s, user, version)
	ended, err := s.BeginAvatar(t.Context(), user.ID, version)
	require.NoError(t, err)
	require.NoError(t, s.MarkAvatarRendered(t.Context(), user.ID, version, nil))
	require.Equal(t, before, ended, "what has ended stays as it is")
	require.Equal(t, before, readAvatar(t, s, user, version))

	_, err = s.BeginAvatar(t.Context(), user.ID, version+1)
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}

func TestAvatarStates(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	publishAvatar(t, s, ada, uploadAvatar(t, s, ada))
	uploadAvatar(t, s, ada)
	uploadAvatar(t, s, bob)

	found, err := s.AvatarStates(t.Context(), []watchparty.Avatar{
		{UserID: ada.ID, Version: 1}, {UserID: ada.ID, Version: 1}, {UserID: bob.ID, Version: 1},
		{UserID: bob.ID, Version: 2}, {UserID: newID(), Version: 1},
	})
	require.NoError(t, err)
	require.ElementsMatch(t, []watchparty.Avatar{readAvatar(t, s, ada, 1), readAvatar(t, s, bob, 1)}, found)
	found, err = s.AvatarStates(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestPublishAvatar(t *testing.T) {
	t.Parallel()
	s := openStore(t)

	t.Run("the newer one takes the place of the older", func(t *testing.T) {
		user := newUser(t, s, "in-order")
		first, second := uploadAvatar(t, s, user), uploadAvatar(t, s, user)
		require.Equal(t, watchparty.AvatarReady, publishAvatar(t, s, user, first))
		require.Equal(t, first, readPublishedVersion(t, s, user))
		require.Equal(t, watchparty.AvatarReady, publishAvatar(t, s, user, second))
		require.Equal(t, second, readPublishedVersion(t, s, user))
		require.Equal(t, watchparty.AvatarSuperseded, avatarState(t, s, user, first))
	})

	t.Run("the older one comes too late", func(t *testing.T) {
		user := newUser(t, s, "reversed")
		first, second := uploadAvatar(t, s, user), uploadAvatar(t, s, user)
		require.Equal(t, watchparty.AvatarReady, publishAvatar(t, s, user, second))
		require.Equal(t, watchparty.AvatarSuperseded, publishAvatar(t, s, user, first))
		require.Equal(t, second, readPublishedVersion(t, s, user))
		require.Equal(t, watchparty.AvatarSuperseded, avatarState(t, s, user, first))
		require.Equal(t, watchparty.AvatarReady, avatarState(t, s, user, second))
	})

	t.Run("repeating changes nothing", func(t *testing.T) {
		user := newUser(t, s, "twice")
		first, second := uploadAvatar(t, s, user), uploadAvatar(t, s, user)
		require.Equal(t, watchparty.AvatarReady, publishAvatar(t, s, user, first))
		before, err := s.Avatar(t.Context(), user.ID, first)
		require.NoError(t, err)
		require.Equal(t, watchparty.AvatarReady, publishAvatar(t, s, user, first))
		after, err := s.Avatar(t.Context(), user.ID, first)
		require.NoError(t, err)
		require.Equal(t, before, after)

		require.Equal(t, watchparty.AvatarReady, publishAvatar(t, s, user, second))
		require.Equal(t, watchparty.AvatarSuperseded, publishAvatar(t, s, user, first),
			"a late repetition learns what became of it")
		require.Equal(t, second, readPublishedVersion(t, s, user))
	})

	t.Run("the newest of many at once", func(t *testing.T) {
		user := newUser(t, s, "many")
		const uploads = 10
		for range uploads {
			uploadAvatar(t, s, user)
		}
		var wg sync.WaitGroup
		errs := make([]error, uploads)
		for i := range uploads {
			wg.Go(func() { _, errs[i] = s.PublishAvatar(t.Context(), user.ID, i+1) })
		}
		wg.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.Equal(t, uploads, readPublishedVersion(t, s, user))
		for version := 1; version < uploads; version++ {
			require.Equal(t, watchparty.AvatarSuperseded, avatarState(t, s, user, version), "version %d", version)
		}
		require.Equal(t, watchparty.AvatarReady, avatarState(t, s, user, uploads))
	})

	t.Run("another user's avatar stays", func(t *testing.T) {
		ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
		require.Equal(t, watchparty.AvatarReady, publishAvatar(t, s, bob, uploadAvatar(t, s, bob)))
		uploadAvatar(t, s, ada)
		require.Equal(t, watchparty.AvatarReady, publishAvatar(t, s, ada, uploadAvatar(t, s, ada)))
		require.Equal(t, watchparty.AvatarReady, avatarState(t, s, bob, 1))
		require.Equal(t, 1, readPublishedVersion(t, s, bob))
	})
}

// countRemovals counts the events that ask for files to be removed.
func countRemovals(t *testing.T, s *Store, user watchparty.User) (n int) {
	t.Helper()
	err := s.db.NewRaw("SELECT count(*) FROM outbox WHERE workflow_id LIKE ?", "avatar/"+user.ID+"/%/removal").
		Scan(t.Context(), &n)
	require.NoError(t, err)
	return n
}

func TestRemoveAvatar(t *testing.T) {
	t.Parallel()
	s := openStore(t)

	t.Run("takes back the published one and those in work", func(t *testing.T) {
		user := newUser(t, s, "ada")
		first := uploadAvatar(t, s, user)
		publishAvatar(t, s, user, first)
		inWork := uploadAvatar(t, s, user)
		failed := uploadAvatar(t, s, user)
		require.NoError(t, s.FailAvatar(t.Context(), user.ID, failed, "not_an_image"))

		require.NoError(t, s.RemoveAvatar(t.Context(), user.ID))
		require.Equal(t, 1, countRemovals(t, s, user), "the removal of the published one's files is promised")
		require.Zero(t, readPublishedVersion(t, s, user))
		require.Equal(t, watchparty.AvatarSuperseded, avatarState(t, s, user, first))
		require.Equal(t, watchparty.AvatarFailed, avatarState(t, s, user, failed))

		require.Equal(t, watchparty.AvatarSuperseded, publishAvatar(t, s, user, inWork),
			"a publication that comes later loses")
		require.Zero(t, readPublishedVersion(t, s, user))

		require.NoError(t, s.RemoveAvatar(t.Context(), user.ID))
		require.Equal(t, 1, countRemovals(t, s, user), "there is nothing more to remove")
	})

	t.Run("a later upload is a new avatar", func(t *testing.T) {
		user := newUser(t, s, "bob")
		publishAvatar(t, s, user, uploadAvatar(t, s, user))
		err := s.RemoveAvatar(t.Context(), user.ID)
		require.NoError(t, err)
		next := uploadAvatar(t, s, user)
		require.Equal(t, 2, next, "versions are never given again")
		require.Equal(t, watchparty.AvatarReady, publishAvatar(t, s, user, next))
		require.Equal(t, next, readPublishedVersion(t, s, user))
	})

	t.Run("nobody else's", func(t *testing.T) {
		carl, dora := newUser(t, s, "carl"), newUser(t, s, "dora")
		publishAvatar(t, s, carl, uploadAvatar(t, s, carl))
		uploadAvatar(t, s, carl)
		err := s.RemoveAvatar(t.Context(), dora.ID)
		require.NoError(t, err)
		require.Equal(t, 1, readPublishedVersion(t, s, carl))
		require.Equal(t, watchparty.AvatarProcessing, avatarState(t, s, carl, 2))
	})
}

// A user removes the avatar at the moment at which an upload is published: neither stands in the other's way, and
// nothing is published after the removal.
func TestRemoveWhilePublishing(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	user := newUser(t, s, "ada")
	publishAvatar(t, s, user, uploadAvatar(t, s, user))
	version := uploadAvatar(t, s, user)

	b := raiseBarrier(t, s, "UPDATE", "users")
	var (
		wg                    sync.WaitGroup
		errPublish, errRemove error
	)
	wg.Go(func() { _, errPublish = s.PublishAvatar(t.Context(), user.ID, version) })
	b.awaitStopped(t, 1, nil)
	wg.Go(func() { errRemove = s.RemoveAvatar(t.Context(), user.ID) })
	b.awaitStopped(t, 2, nil)
	b.release(t)
	wg.Wait()

	require.NoError(t, errPublish)
	require.NoError(t, errRemove)
	require.Zero(t, readPublishedVersion(t, s, user), "the removal came last")
	require.Equal(t, watchparty.AvatarSuperseded, avatarState(t, s, user, version))
}

func TestFailAvatar(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	user := newUser(t, s, "ada")
	failed, ready, superseded := uploadAvatar(t, s, user), uploadAvatar(t, s, user), 0

	require.NoError(t, s.FailAvatar(t.Context(), user.ID, failed, "not_an_image"))
	a, err := s.Avatar(t.Context(), user.ID, failed)
	require.NoError(t, err)
	require.Equal(t, watchparty.AvatarFailed, a.State)
	require.Equal(t, "not_an_image", a.Reason)

	require.NoError(t, s.FailAvatar(t.Context(), user.ID, failed, "another reason"))
	a, err = s.Avatar(t.Context(), user.ID, failed)
	require.NoError(t, err)
	require.Equal(t, "not_an_image", a.Reason, "the first reason stays")
	require.Equal(t, watchparty.AvatarFailed, publishAvatar(t, s, user, failed), "a failed upload is not published")
	require.Zero(t, readPublishedVersion(t, s, user))

	require.Equal(t, watchparty.AvatarReady, publishAvatar(t, s, user, ready))
	require.NoError(t, s.FailAvatar(t.Context(), user.ID, ready, "too late"))
	require.Equal(t, watchparty.AvatarReady, avatarState(t, s, user, ready))

	superseded, ready = ready, uploadAvatar(t, s, user)
	publishAvatar(t, s, user, ready)
	require.NoError(t, s.FailAvatar(t.Context(), user.ID, superseded, "too late"))
	require.Equal(t, watchparty.AvatarSuperseded, avatarState(t, s, user, superseded))

	newest, err := s.NewestAvatar(t.Context(), user.ID)
	require.NoError(t, err)
	require.Equal(t, ready, newest.Version)
	require.NoError(t, s.FailAvatar(t.Context(), user.ID, 99, "there is no such upload"))
}
