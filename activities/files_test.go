package activities_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// filesFixture is a house with a bucket.
type filesFixture struct {
	*cleanupFixture
	dir string
}

func newFilesFixture(t *testing.T) *filesFixture {
	t.Helper()
	a := &filesFixture{cleanupFixture: newCleanupFixture(t), dir: t.TempDir()}
	bucket, err := fileblob.OpenBucket(a.dir, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bucket.Close()) })
	a.activities.Bucket = bucket
	return a
}

// put writes a file of that age.
func (a *filesFixture) put(name string, age time.Duration) {
	a.t.Helper()
	require.NoError(a.t, a.activities.Bucket.WriteAll(a.t.Context(), name, []byte("x"), nil))
	then := time.Now().Add(-age)
	require.NoError(a.t, os.Chtimes(filepath.Join(a.dir, name), then, then))
}

func (a *filesFixture) left() []string {
	a.t.Helper()
	page, next, err := a.activities.Bucket.ListPage(a.t.Context(), blob.FirstPageToken, 10_000, nil)
	require.NoError(a.t, err)
	require.Empty(a.t, next)
	var names []string
	for _, object := range page {
		names = append(names, object.Key)
	}
	return names
}

// upload makes an upload with that fate.
func (a *filesFixture) upload(state watchparty.AvatarState) watchparty.Avatar {
	a.t.Helper()
	user := register(a.t, a.store, "u"+uuid.NewString()[:8])
	version, err := a.store.NextAvatarVersion(a.t.Context(), user.ID)
	require.NoError(a.t, err)
	upload, err := a.store.CreateAvatar(a.t.Context(), user.ID, version)
	require.NoError(a.t, err)
	execute(a.t, a.store, "UPDATE avatars SET state = ? WHERE id = ?", string(state), upload.ID)
	return upload
}

func (a *filesFixture) sweep(dry bool) {
	a.t.Helper()
	_, err := a.ExecuteActivity(job.ActivityApplyPolicy, job.ApplyPolicyInput{
		RunID: a.runID, Policy: watchparty.PolicyFiles, Threshold: time.Now().Add(-day), DryRun: dry,
	})
	require.NoError(a.t, err)
}

func (a *filesFixture) countFiles() int64 { return a.run().Counts[watchparty.PolicyFiles] }

func TestSweep(t *testing.T) {
	t.Parallel()
	a := newFilesFixture(t)
	never := watchparty.Avatar{UserID: uuid.NewString(), Version: 3}
	orphans := []string{
		never.OriginalObject(),
		never.Object(watchparty.MediumFile),
		never.OriginalObject() + ".18a3f00b.tmp",
	}
	kept := []string{"report.html", "avatars/readme.txt", "uploads/readme"}
	for _, state := range []watchparty.AvatarState{
		watchparty.AvatarProcessing, watchparty.AvatarReady, watchparty.AvatarFailed, watchparty.AvatarSuperseded,
	} {
		upload := a.upload(state)
		for _, original := range []bool{true, false} {
			name := upload.Object(watchparty.MediumFile)
			if original {
				name = upload.OriginalObject()
			}
			orphans = append(orphans, name+".18a3f00b.tmp") // the process ended while it wrote the file
			if state == watchparty.AvatarProcessing || state == watchparty.AvatarReady && !original {
				kept = append(kept, name)
			} else {
				orphans = append(orphans, name)
			}
		}
	}
	// Of a user's versions, each for itself; with an original where the first ones were.
	former := a.upload(watchparty.AvatarSuperseded)
	latest, err := a.store.CreateAvatar(t.Context(), former.UserID, 2)
	require.NoError(t, err)
	execute(t, a.store, "UPDATE avatars SET state = 'ready' WHERE id = ?", latest.ID)
	orphans = append(orphans, former.Object(watchparty.MediumFile), latest.FormerOriginalObject())
	kept = append(kept, latest.Object(watchparty.MediumFile))
	for _, name := range slices.Concat(orphans, kept) {
		a.put(name, 2*day)
	}
	// One that is stored right now has no row yet.
	recent := watchparty.Avatar{UserID: never.UserID, Version: 4}.OriginalObject()
	a.put(recent, 23*time.Hour)
	kept = append(kept, recent)

	for range 2 {
		a.sweep(true)
		require.EqualValues(t, len(orphans), a.countFiles(), "a dry run counts")
		require.Len(t, a.run().Samples[watchparty.PolicyFiles], store.MaxSamples, "and names some")
		require.Subset(t, orphans, a.run().Samples[watchparty.PolicyFiles])
		require.Len(t, a.left(), len(orphans)+len(kept), "and removes nothing")
	}
	execute(t, a.store, "UPDATE cleanup_runs SET counts = '{}'")
	for range 2 { // the second time is a repetition after a worker's end
		a.sweep(false)
		require.Equal(t, sorted(kept), a.left())
		require.EqualValues(t, len(orphans), a.countFiles())
	}
}

// TestSweepGoesOn: an attempt begins with the page at which the one before it ended, and a dry run with its count.
func TestSweepGoesOn(t *testing.T) {
	t.Parallel()
	a := newFilesFixture(t)
	const files = 450 // three pages
	for i := range files {
		a.put(fmt.Sprintf("uploads/01890000-0000-7000-8000-%012x/1", i), 2*day)
	}
	beats := make(chan converter.EncodedValues, 3)
	a.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) { beats <- details })
	a.sweep(true)
	require.EqualValues(t, files, a.countFiles())
	var first map[string]any
	require.NoError(t, (<-beats).Get(&first))
	a.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) {})

	a.SetHeartbeatDetails(first)
	a.sweep(true)
	require.EqualValues(t, files, a.countFiles(), "what the first attempt counted is in it once")
	require.Len(t, a.run().Samples[watchparty.PolicyFiles], store.MaxSamples)

	a.sweep(false)
	require.Len(t, a.left(), 200, "the first page is the first attempt's")
}

// TestSweepWithoutTheDatabase: files that cannot be looked up are kept.
func TestSweepWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	a := newFilesFixture(t)
	upload := a.upload(watchparty.AvatarReady)
	a.put(upload.Object(watchparty.MediumFile), 2*day)
	execute(t, a.store, "ALTER TABLE avatars RENAME TO elsewhere")
	_, err := a.ExecuteActivity(job.ActivityApplyPolicy,
		job.ApplyPolicyInput{RunID: a.runID, Policy: watchparty.PolicyFiles, Threshold: time.Now().Add(-day)})
	require.Error(t, err)
	require.Equal(t, []string{upload.Object(watchparty.MediumFile)}, a.left())
}

func TestSweepIsCancelled(t *testing.T) {
	t.Parallel()
	a := newFilesFixture(t)
	orphan := watchparty.Avatar{UserID: uuid.NewString(), Version: 1}.OriginalObject()
	a.put(orphan, 2*day)
	execute(t, a.store, "UPDATE cleanup_runs SET cancelled_at = now()")
	a.sweep(false)
	require.Equal(t, []string{orphan}, a.left())
	a.sweep(true)
	require.Zero(t, a.countFiles())
}
