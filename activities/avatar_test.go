package activities_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "golang.org/x/image/webp" // for image.DecodeConfig

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/avatar"
	"github.com/watchparty/watchparty/avatar/probe"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// avatarFixture is a user who uploads pictures, and the activities that process them.
type avatarFixture struct {
	*testsuite.TestActivityEnvironment
	t      *testing.T
	store  *store.Store
	bucket *blob.Bucket
	user   watchparty.User
}

func newAvatarFixture(t *testing.T) *avatarFixture {
	t.Helper()
	bucket, err := fileblob.OpenBucket(t.TempDir(), nil)
	require.NoError(t, err)
	s := &avatarFixture{t: t, store: openStore(t), bucket: bucket}
	t.Cleanup(func() { _ = bucket.Close() }) // a test may have closed it
	s.TestActivityEnvironment = environment(&activities.Avatar{
		Store: s.store, Bucket: bucket, Renderer: avatar.New(1, probe.Limits{}),
	})
	s.user = register(t, s.store, "Painter")
	return s
}

// upload does what the API does with an upload.
func (s *avatarFixture) upload(data []byte) job.AvatarInput {
	s.t.Helper()
	version, err := s.store.NextAvatarVersion(s.t.Context(), s.user.ID)
	require.NoError(s.t, err)
	in := job.AvatarInput{UserID: s.user.ID, Version: version}
	s.write(in, original, data)
	_, err = s.store.CreateAvatar(s.t.Context(), s.user.ID, version)
	require.NoError(s.t, err)
	return in
}

func (s *avatarFixture) write(in job.AvatarInput, name string, data []byte) {
	s.t.Helper()
	require.NoError(s.t, s.bucket.WriteAll(s.t.Context(), object(in, name), data, nil))
}

// object is the bucket's name of an upload's file.
func object(in job.AvatarInput, name string) string {
	upload := watchparty.Avatar{UserID: in.UserID, Version: in.Version}
	if name == original {
		return upload.OriginalObject()
	}
	return upload.Object(name)
}

func objects(in job.AvatarInput, names ...string) (all []string) {
	for _, name := range names {
		all = append(all, object(in, name))
	}
	return all
}

// files are the names of all objects in the bucket, sorted.
func (s *avatarFixture) files() (names []string) {
	s.t.Helper()
	for all := s.bucket.List(nil); ; {
		found, err := all.Next(s.t.Context())
		if errors.Is(err, io.EOF) {
			return sorted(names)
		}
		require.NoError(s.t, err)
		names = append(names, found.Key)
	}
}

func (s *avatarFixture) do(name string, in any) {
	s.t.Helper()
	_, err := s.ExecuteActivity(name, in)
	require.NoError(s.t, err)
}

func (s *avatarFixture) publish(in job.AvatarInput) watchparty.AvatarState {
	s.t.Helper()
	value, err := s.ExecuteActivity(job.ActivityPublishAvatar, in)
	require.NoError(s.t, err)
	var result job.PublishResult
	require.NoError(s.t, value.Get(&result))
	return result.State
}

func (s *avatarFixture) requireState(in job.AvatarInput, want watchparty.AvatarState, reason string) {
	s.t.Helper()
	row, err := s.store.Avatar(s.t.Context(), in.UserID, in.Version)
	require.NoError(s.t, err)
	require.Equal(s.t, want, row.State)
	require.Equal(s.t, reason, row.Reason)
}

func (s *avatarFixture) requirePublished(version int) {
	s.t.Helper()
	user, err := s.store.User(s.t.Context(), s.user.ID)
	require.NoError(s.t, err)
	require.Equal(s.t, version, user.AvatarVersion)
}

func photo(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			m.Set(x, y, color.RGBA{R: uint8(x / 3), G: uint8(y / 2), B: 90, A: 255})
		}
	}
	var encoded bytes.Buffer
	require.NoError(t, jpeg.Encode(&encoded, m, nil))
	return encoded.Bytes()
}

const (
	original  = "original" // stands for what was uploaded
	thumbnail = watchparty.ThumbnailFile
	medium    = watchparty.MediumFile
	plain     = watchparty.JPEGFile
)

func TestRenderAvatar(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	in := s.upload(photo(t))
	for range 2 { // the second time is a repetition after a worker's end
		s.do(job.ActivityRenderAvatar, in)
		require.Equal(t, objects(in, plain, medium, thumbnail, original), s.files())
		for name, want := range map[string]struct {
			pixels      int
			contentType string
		}{thumbnail: {128, "image/webp"}, medium: {512, "image/webp"}, plain: {512, "image/jpeg"}} {
			data, err := s.bucket.ReadAll(t.Context(), object(in, name))
			require.NoError(t, err)
			rendered, format, err := image.DecodeConfig(bytes.NewReader(data))
			require.NoError(t, err)
			require.Equal(t, want.contentType, "image/"+format)
			require.Equal(t, [2]int{want.pixels, want.pixels}, [2]int{rendered.Width, rendered.Height})
			attributes, err := s.bucket.Attributes(t.Context(), object(in, name))
			require.NoError(t, err)
			require.Equal(t, want.contentType, attributes.ContentType)
			require.Contains(t, attributes.CacheControl, "immutable")
		}
		s.requireState(in, watchparty.AvatarProcessing, "")
		s.requirePublished(0)
		row, err := s.store.Avatar(t.Context(), in.UserID, in.Version)
		require.NoError(t, err)
		require.Equal(t, watchparty.AvatarPublishing, row.Step)
		require.Equal(t, []string{thumbnail, medium, plain}, row.Files)
	}
}

// TestOvertakenUploadIsNotRendered: the newest picture is the one to see. One that has failed overtakes nothing.
func TestOvertakenUploadIsNotRendered(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	first, second, third := s.upload(photo(t)), s.upload(photo(t)), s.upload(photo(t))
	s.do(job.ActivityFailAvatar, job.FailAvatarInput{AvatarInput: third, Reason: "no picture"})
	before := s.files()
	s.do(job.ActivityRenderAvatar, first)
	require.Equal(t, before, s.files(), "nothing was rendered")
	s.requireState(first, watchparty.AvatarSuperseded, "")
	require.Equal(t, watchparty.AvatarSuperseded, s.publish(first))
	s.do(job.ActivityRenderAvatar, second)
	require.Equal(t, watchparty.AvatarReady, s.publish(second))
	s.requirePublished(second.Version)
}

// TestRefusedUploadThatOvertookAnother leaves the avatar that there was before both, with its files.
func TestRefusedUploadThatOvertookAnother(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	former := s.upload(photo(t))
	s.do(job.ActivityRenderAvatar, former)
	require.Equal(t, watchparty.AvatarReady, s.publish(former))
	s.do(job.ActivityRemoveOriginal, former)
	before := s.files()
	overtaken, refused := s.upload(photo(t)), s.upload([]byte("no picture"))
	s.do(job.ActivityRenderAvatar, overtaken)
	s.do(job.ActivityRemoveAvatarFiles, overtaken)
	_, err := s.ExecuteActivity(job.ActivityRenderAvatar, refused)
	requireFailure(t, err, job.ErrorAvatarRejected, true)
	s.do(job.ActivityFailAvatar, job.FailAvatarInput{AvatarInput: refused, Reason: "It is damaged."})
	s.do(job.ActivityRemoveAvatarFiles, refused)
	s.requireState(overtaken, watchparty.AvatarSuperseded, "")
	s.requireState(refused, watchparty.AvatarFailed, "It is damaged.")
	s.requireState(former, watchparty.AvatarReady, "")
	s.requirePublished(former.Version)
	require.Equal(t, before, s.files())
}

// broken is a renderer that can do nothing with any picture.
type broken struct{ tries int }

func (b *broken) Render(context.Context, []byte) ([]avatar.Rendered, error) {
	b.tries++
	return nil, errors.New("encode: no memory")
}

// TestRenderAvatarGivesUp: failures that the picture did not cause are retried, but only a limited number of times.
func TestRenderAvatarGivesUp(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	in := s.upload(photo(t))
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(discard))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(2 * time.Minute)
	renderer := &broken{}
	activities.Register(env, &activities.Avatar{Store: s.store, Bucket: s.bucket, Renderer: renderer})
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			StartToCloseTimeout: time.Minute,
			RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, MaximumAttempts: 20},
		})
		return workflow.ExecuteActivity(ctx, job.ActivityRenderAvatar, in).Get(ctx, nil)
	})
	require.Equal(t, 10, renderer.tries)
	var code, reason string
	require.NoError(t, requireFailure(t, env.GetWorkflowError(), job.ErrorAvatarRejected, true).Details(&code, &reason))
	require.Equal(t, "avatar_unreadable", code)
	require.Contains(t, reason, "choose another one")
	require.Equal(t, objects(in, original), s.files())
}

func TestRenderAvatarRefuses(t *testing.T) {
	t.Parallel()
	whole := photo(t)
	for name, c := range map[string]struct {
		data         []byte
		code, reason string
	}{
		"text":         {[]byte("no picture at all"), "avatar_unsupported_format", "not a JPEG, PNG, WebP or GIF"},
		"half a photo": {whole[:len(whole)/2], "avatar_unreadable", "damaged or incomplete"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newAvatarFixture(t)
			in := s.upload(c.data)
			_, err := s.ExecuteActivity(job.ActivityRenderAvatar, in)
			failure := requireFailure(t, err, job.ErrorAvatarRejected, true)
			require.Equal(t, temporal.ApplicationErrorCategoryBenign, failure.Category())
			var code, reason string
			require.NoError(t, failure.Details(&code, &reason))
			require.Equal(t, c.code, code)
			require.Contains(t, reason, c.reason)
			require.Equal(t, objects(in, original), s.files())
		})
	}
}

func TestRenderAvatarWithoutItsParts(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	_, err := s.ExecuteActivity(job.ActivityRenderAvatar, job.AvatarInput{UserID: s.user.ID, Version: 9})
	requireFailure(t, err, job.ErrorNotFound, true)

	in := s.upload(photo(t))
	require.NoError(t, s.bucket.Delete(t.Context(), object(in, original)))
	_, err = s.ExecuteActivity(job.ActivityRenderAvatar, in)
	var code, reason string
	require.NoError(t, requireFailure(t, err, job.ErrorAvatarRejected, true).Details(&code, &reason))
	require.Equal(t, "avatar_lost", code)
	require.Contains(t, reason, "Upload the picture again")

	in = s.upload(photo(t))
	require.NoError(t, s.bucket.Close())
	_, err = s.ExecuteActivity(job.ActivityRenderAvatar, in)
	requireFailure(t, err, "wrapError", false)
}

func TestRenderAvatarLeavesEndedUploadsAlone(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	in := s.upload(photo(t))
	err := s.store.RemoveAvatar(t.Context(), s.user.ID)
	require.NoError(t, err)
	s.do(job.ActivityRenderAvatar, in)
	require.Equal(t, objects(in, original), s.files())
	require.Equal(t, watchparty.AvatarSuperseded, s.publish(in))
	s.requirePublished(0)
}

func TestPublishAvatar(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	in := s.upload(photo(t))
	announced := recordChanges(s.store)
	require.Equal(t, watchparty.AvatarReady, s.publish(in))
	require.ElementsMatch(t, []string{coherence.TagProfile("painter"), coherence.TagPerson(s.user.ID)}, announced.take())
	value, err := s.ExecuteActivity(job.ActivityPublishAvatar, in)
	require.NoError(t, err)
	var result job.PublishResult
	require.NoError(t, value.Get(&result))
	require.Equal(t, 60, result.KeepFormerSeconds)
	require.Equal(t, watchparty.AvatarReady, s.publish(in))
	s.requirePublished(in.Version)
	s.requireState(in, watchparty.AvatarReady, "")
}

func TestPublishAvatarLosesToANewerOne(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	first, second := s.upload(photo(t)), s.upload(photo(t))
	require.Equal(t, watchparty.AvatarReady, s.publish(second))
	for range 2 {
		require.Equal(t, watchparty.AvatarSuperseded, s.publish(first))
		s.requirePublished(second.Version)
	}
	s.requireState(second, watchparty.AvatarReady, "")
}

func TestPublishAvatarOfNobody(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	in := s.upload(photo(t))
	execute(t, s.store, "DELETE FROM users WHERE id = ?", s.user.ID)
	_, err := s.ExecuteActivity(job.ActivityPublishAvatar, in)
	requireFailure(t, err, job.ErrorNotFound, true)
}

func TestFailAvatar(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	good, bad := s.upload(photo(t)), s.upload([]byte("no picture"))
	require.Equal(t, watchparty.AvatarReady, s.publish(good))
	for range 2 {
		s.do(job.ActivityFailAvatar, job.FailAvatarInput{AvatarInput: bad, Reason: "It is damaged."})
		s.requireState(bad, watchparty.AvatarFailed, "It is damaged.")
	}
	s.do(job.ActivityFailAvatar, job.FailAvatarInput{AvatarInput: good, Reason: "It is damaged."})
	s.requireState(good, watchparty.AvatarReady, "")
	s.requirePublished(good.Version)
}

// end gives an upload a state.
func (s *avatarFixture) end(in job.AvatarInput, state watchparty.AvatarState) {
	s.t.Helper()
	execute(s.t, s.store, "UPDATE avatars SET state = ? WHERE user_id = ? AND version = ?", string(state), in.UserID,
		in.Version)
}

// render writes what is rendered of an upload, in short.
func (s *avatarFixture) render(uploads ...job.AvatarInput) {
	s.t.Helper()
	for _, in := range uploads {
		s.write(in, thumbnail, []byte("t"))
		s.write(in, medium, []byte("m"))
	}
}

func TestRemoveAvatarFiles(t *testing.T) {
	t.Parallel()
	for _, state := range []watchparty.AvatarState{watchparty.AvatarSuperseded, watchparty.AvatarFailed, ""} {
		s := newAvatarFixture(t)
		first := s.upload(photo(t))
		s.render(first)
		tenth := job.AvatarInput{UserID: s.user.ID, Version: 10 * first.Version}
		s.write(tenth, original, []byte("another's"))
		if state == "" {
			execute(t, s.store, "DELETE FROM avatars")
		} else {
			s.end(first, state)
		}
		for range 2 {
			s.do(job.ActivityRemoveAvatarFiles, first)
			require.Equal(t, objects(tenth, original), s.files(), state)
		}
	}
}

// TestRemoveAvatarFilesSparesTheAvatar: a workflow that is stopped after it has published removes no more than the
// original.
func TestRemoveAvatarFilesSparesTheAvatar(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	in := s.upload(photo(t))
	s.render(in)
	require.Equal(t, watchparty.AvatarReady, s.publish(in))
	s.do(job.ActivityRemoveAvatarFiles, in)
	require.Equal(t, objects(in, medium, thumbnail), s.files())
}

func TestRemoveFormerAvatar(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	var overtaken []job.AvatarInput
	for range 12 {
		overtaken = append(overtaken, s.upload(photo(t)))
	}
	running, refused, newest, next := s.upload(photo(t)), s.upload(photo(t)), s.upload(photo(t)), s.upload(photo(t))
	s.render(overtaken...)
	s.render(newest)
	require.Equal(t, watchparty.AvatarReady, s.publish(overtaken[0]))
	require.Equal(t, watchparty.AvatarReady, s.publish(newest))
	for _, in := range overtaken[1:] {
		s.end(in, watchparty.AvatarSuperseded)
	}
	s.end(refused, watchparty.AvatarFailed)
	uncommitted := overtaken[5]
	s.write(uncommitted, original, []byte("on its way"))
	execute(t, s.store, "DELETE FROM avatars WHERE version = ?", uncommitted.Version)
	for range 2 {
		s.do(job.ActivityRemoveFormerAvatar, newest)
		want := sorted(
			append(objects(newest, medium, thumbnail), object(running, original), object(next, original),
				object(uncommitted, original), object(uncommitted, medium), object(uncommitted, thumbnail)),
		)
		require.Equal(t, want, s.files())
	}
}

// TestOriginalsOfFormerVersions: where the first uploads had their originals, those are found, and removed.
func TestOriginalsOfFormerVersions(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	in := s.upload(photo(t))
	require.NoError(t, s.bucket.Delete(t.Context(), object(in, original)))
	former := watchparty.Avatar{UserID: in.UserID, Version: in.Version}.FormerOriginalObject()
	put := func() { require.NoError(t, s.bucket.WriteAll(t.Context(), former, photo(t), nil)) }
	put()
	s.do(job.ActivityRenderAvatar, in)
	require.Equal(t, watchparty.AvatarReady, s.publish(in))
	for _, remove := range []string{
		job.ActivityRemoveOriginal, job.ActivityRemoveFormerAvatar, job.ActivityRemoveAvatarFiles,
	} {
		put()
		s.do(remove, in)
		require.Equal(t, objects(in, plain, medium, thumbnail), s.files(), remove)
	}
}

func TestRemoveOriginal(t *testing.T) {
	t.Parallel()
	s := newAvatarFixture(t)
	first, second := s.upload(photo(t)), s.upload(photo(t))
	s.render(first, second)
	for range 2 {
		s.do(job.ActivityRemoveOriginal, second)
		require.Equal(t, sorted(append(objects(first, original, medium, thumbnail), objects(second, medium, thumbnail)...)),
			s.files())
	}
}
