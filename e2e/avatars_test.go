package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// TestAvatarsOnS3: the way of an avatar with a bucket as it is in production.
func TestAvatarsOnS3(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	bucket := s.useS3(t)
	s.startAPI(t)
	s.startWorker(t)
	user, account := s.client.register(t, "sam", "Sam")
	prefix := "avatars/" + account.User.ID + "/"
	for version, c := range []color.Color{color.White, color.Black} {
		require.Equal(t, http.StatusAccepted, user.putAvatar(t, largePhoto(t, c)).status)
		eventually(t, func(c *assert.CollectT) {
			require.Equal(c, "ready", user.get(c, "/users/me/avatar").data(c)["status"])
			at := fmt.Sprintf("%s%d/", prefix, version+1)
			require.ElementsMatch(c, []string{at + "thumbnail.webp", at + "medium.webp", at + "large.webp", at + "medium.jpg"},
				bucket.objectNames(c))
		}, "the avatar is ready and alone")
	}
	for name, contentType := range map[string]string{"large.webp": "image/webp", "medium.jpg": "image/jpeg"} {
		object, err := bucket.objects.HeadObject(bucketName, prefix+"2/"+name)
		require.NoError(t, err)
		require.Equal(t, contentType, object.Metadata["Content-Type"])
	}

	avatar := user.get(t, "/users/sam").data(t)["avatar"].(map[string]any)
	requirePicture(t, avatar["large"].(string), 1024)
	r, err := http.NewRequest(http.MethodGet, avatar["medium"].(string), nil)
	require.NoError(t, err)
	r.Header.Set("Range", "bytes=0-3")
	part := client{}.send(t, r)
	require.Equal(t, []any{http.StatusPartialContent, "RIFF"}, []any{part.status, string(part.body)})
	r, err = http.NewRequest(http.MethodGet, avatar["medium"].(string), nil)
	require.NoError(t, err)
	r.Header.Set("If-None-Match", part.header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, client{}.send(t, r).status)

	require.Equal(t, http.StatusNoContent, user.do(t, http.MethodDelete, "/users/me/avatar", nil).status)
	requireGenerated(t, user.get(t, "/users/me").data(t))
	eventually(t, func(c *assert.CollectT) { require.Empty(c, bucket.objectNames(c)) }, "nothing is left")
}

// largePhoto has all sizes.
func largePhoto(t testing.TB, c color.Color) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 1500, 1100))
	for y := range 1100 {
		for x := range 1500 {
			picture.Set(x, y, c)
		}
	}
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, picture, nil))
	return buf.Bytes()
}

// victim uploads a second avatar while the worker is killed at one of its steps.
type victim struct {
	name string
	client
	id     string
	stop   *stop
	reader *reader
}

// TestWorkerKilledAtEachStep: a worker is killed while uploads are at every step of the workflow, one at each. All
// uploads become ready, with one set of files each, and no profile ever names pictures that do not exist.
func TestWorkerKilledAtEachStep(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	bucket := s.useS3(t)
	s.environ = append(s.environ, "AVATAR_CONCURRENCY=16", "RATE_LIMIT_ENABLED=false", "LOG_LEVEL=warn")
	s.startAPI(t)
	worker := s.startWorker(t)

	const publishing = 3
	steps := []struct{ method, part string }{
		{http.MethodGet, "uploads/%s/2"},                // the picture is being read
		{http.MethodPut, "avatars/%s/2/thumbnail.webp"}, // it is rendered, and no file written
		{http.MethodPut, "avatars/%s/2/medium.jpg"},     // some are written
		publishing: {
			http.MethodPut,
			"avatars/%s/2/large.webp",
		}, // all are, once the last may go on, and it is being published
		{http.MethodDelete, "uploads/%s/2"},                // it is published
		{http.MethodDelete, "avatars/%s/1/medium.webp"},    // some of the former avatar's files are removed
		{http.MethodDelete, "avatars/%s/1/thumbnail.webp"}, // the last of them is being removed
	}
	var victims []*victim
	for i, step := range steps {
		name := fmt.Sprintf("victim%d", i)
		user, account := s.client.register(t, name, name)
		v := &victim{name: name, client: user, id: account.User.ID}
		v.stop = bucket.stopAt(step.method, fmt.Sprintf(step.part, v.id))
		require.Equal(t, http.StatusAccepted, v.putAvatar(t, largePhoto(t, color.White)).status)
		victims = append(victims, v)
	}
	for _, v := range victims {
		s.awaitReady(t, v, 1)
		v.reader = s.read(t, v.name)
	}

	for _, v := range victims {
		require.Equal(t, http.StatusAccepted, v.putAvatar(t, largePhoto(t, color.Black)).status)
	}
	for _, v := range victims {
		await(t, v.stop.reached, v.name+" has come to its step")
	}
	lock := s.lockUser(t, victims[publishing].id)
	close(victims[publishing].stop.pass)
	s.awaitLock(t)
	worker.kill()
	bucket.release()
	require.NoError(t, lock.Rollback())

	s.startWorker(t)
	for _, v := range victims {
		s.awaitReady(t, v, 2)
	}
	eventually(t, func(c *assert.CollectT) {
		var want []string
		for _, v := range victims {
			for _, name := range []string{
				watchparty.ThumbnailFile, watchparty.MediumFile, watchparty.LargeFile, watchparty.JPEGFile,
			} {
				want = append(want, watchparty.Avatar{UserID: v.id, Version: 2}.Object(name))
			}
		}
		require.ElementsMatch(c, want, bucket.objectNames(c))
	}, "each has one set of files")
	for _, v := range victims {
		require.Positive(t, v.reader.end(t), "%s's pictures were looked at", v.name)
		for _, address := range addresses(t, v.get(t, "/users/"+v.name).data(t)) {
			require.Contains(t, address, "/2/")
			require.Equal(t, http.StatusOK, fetch(t, address).status)
		}
	}
}

func (s *system) awaitReady(t testing.TB, v *victim, version int) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) {
		upload := v.get(c, "/users/me/avatar").data(c)
		require.Equal(c, []any{"ready", float64(version)}, []any{upload["status"], upload["version"]})
	}, v.name+"'s avatar is ready")
}

// lockUser keeps a user's row from being changed.
func (s *system) lockUser(t testing.TB, id string) bun.Tx {
	t.Helper()
	tx, err := s.store.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	_, err = tx.ExecContext(t.Context(), "SELECT FROM users WHERE id = ? FOR UPDATE", id)
	require.NoError(t, err)
	return tx
}

// awaitLock returns when somebody waits for a row.
func (s *system) awaitLock(t testing.TB) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) {
		var waiting int
		require.NoError(c, s.store.DB().NewRaw("SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(t.Context(), &waiting))
		require.Positive(c, waiting)
	}, "somebody waits for the lock")
}

func await(t testing.TB, signal <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-signal:
	case <-time.After(longWait):
		require.FailNow(t, what+": it does not come")
	}
}

// addresses are those of a profile's pictures.
func addresses(t require.TestingT, profile map[string]any) (all []string) {
	avatar, ok := profile["avatar"].(map[string]any)
	require.True(t, ok)
	for _, size := range []string{"thumbnail", "medium", "large", "plain"} {
		all = append(all, avatar[size].(string))
	}
	return all
}

// reader looks at a profile and its pictures all the time, as front-ends do.
type reader struct {
	stop   context.CancelFunc
	done   chan struct{}
	failed error
	seen   int
}

func (s *system) read(t testing.TB, username string) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &reader{stop: cancel, done: make(chan struct{})}
	t.Cleanup(func() { cancel(); <-r.done })
	go func() {
		defer close(r.done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil && r.failed == nil {
			r.failed = r.loadAvatar(s.client, username)
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}()
	return r
}

// loadAvatar reads a profile and then its pictures. All exist for as long as former pictures are kept; a reader that is
// slower may miss one that the profile no longer names.
func (r *reader) loadAvatar(c client, username string) (err error) {
	var failed failures
	defer func() {
		if recover() != nil {
			err = errors.Join(failed...)
		}
	}()
	began := time.Now()
	for _, address := range addresses(&failed, c.get(&failed, "/users/"+username).data(&failed)) {
		if fetch(&failed, address).status == http.StatusOK {
			r.seen++
			continue
		}
		if took := time.Since(began); took < keepFormer {
			return fmt.Errorf("%s is not there, %s after %s's profile had it", address, took, username)
		}
		for _, now := range addresses(&failed, c.get(&failed, "/users/"+username).data(&failed)) {
			if now == address {
				return fmt.Errorf("%s is not there, and %s's profile has it", address, username)
			}
		}
	}
	return errors.Join(failed...)
}

// end stops the reader and says how many pictures it has seen.
func (r *reader) end(t testing.TB) int {
	t.Helper()
	r.stop()
	<-r.done
	require.NoError(t, r.failed)
	return r.seen
}

// failures is a test that goes on, in a goroutine that may not end it.
type failures []error

func (f *failures) Errorf(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }
func (f *failures) FailNow()                          { panic(errors.Join(*f...)) }

// TestPictureThatKillsWorkers: a crash inside libvips, which ends the process as kill -9 does, costs neither the API
// nor the other queues anything, and in the end only the picture's own upload, even of those that were rendered beside
// it.
func TestPictureThatKillsWorkers(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	bucket := s.useS3(t)
	api := s.startAPI(t)
	others := start(t, t.TempDir(), s.environ, "worker", "--queues", "email,maintenance")
	avatars := func() *process { return start(t, t.TempDir(), s.environ, "worker", "--queues", "avatar") }

	culprit, account := s.client.register(t, "culprit", "Culprit")
	poison := bucket.stopAt(http.MethodGet, "uploads/"+account.User.ID+"/1")
	require.Equal(t, http.StatusAccepted, culprit.putAvatar(t, largePhoto(t, color.White)).status)
	for crash := range 5 {
		worker := avatars()
		await(t, poison.reached, fmt.Sprintf("attempt %d has begun", crash+1))
		bystander, _ := s.client.register(t, fmt.Sprintf("bystander%d", crash), "Bystander")
		require.Equal(t, http.StatusAccepted, bystander.putAvatar(t, largePhoto(t, color.Black)).status)
		worker.kill()
		upload := culprit.get(t, "/users/me/avatar").data(t)
		require.Equal(t, []any{"processing", "rendering"}, []any{upload["status"], upload["step"]})
	}
	avatars()
	eventually(t, func(c *assert.CollectT) {
		upload := culprit.get(c, "/users/me/avatar").data(c)
		require.Equal(c, "failed", upload["status"])
		require.Contains(c, upload["reason"], "choose another one")
	}, "it is refused after five crashes")
	for crash := range 5 {
		name := fmt.Sprintf("bystander%d", crash)
		eventually(t, func(c *assert.CollectT) {
			require.Equal(c, false, s.client.get(c, "/users/"+name).data(c)["avatar"].(map[string]any)["default"])
		}, name+" has an avatar")
	}
	eventually(t, func(c *assert.CollectT) {
		require.Len(c, bucket.objectNames(t), 5*4)
	}, "nothing of the culprit's is left")
	require.Len(t, poison.reached, 0, "it is not tried again")
	requireGenerated(t, culprit.get(t, "/users/culprit").data(t))

	s.awaitIdle(t)
	require.Len(t, readInbox(t, s.stack.InboxURL()).counted(), 6, "emails went out meanwhile")
	require.Equal(t, 0, others.stop(t))
	require.Equal(t, 0, api.stop(t))
}

// TestManyUploadsAtOnce: the memory that 42 uploads take is bounded, in the API and in the worker. What the API
// allocates for an upload depends on nothing but its size, so that it has a narrow bound: the API reads a picture once.
func TestManyUploadsAtOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a process's peak of memory is read from /proc")
	}
	t.Parallel()
	const users, each = 14, 3 // as many as one account may have on their way
	// Measured: 310 MB in the API, and 220 MB in the worker of two cores. With 200 in memory the API takes 3 GB.
	const most = 450 << 20
	w := watch{system: newSystem(t), metrics: stacktest.FreeAddress(t)}
	s := w.system
	s.environ = append(s.environ, "RATE_LIMIT_ENABLED=false", "LOG_LEVEL=warn")
	common := s.environ
	s.environ = append(slices.Clone(common), "METRICS_ADDR="+w.metrics)
	api := s.startAPI(t)
	s.environ = common
	picture := heavyPhoto(t)
	var clients []client
	for i := range users {
		user, _ := s.client.register(t, fmt.Sprintf("user%02d", i), "Somebody")
		clients = append(clients, user)
	}
	const allocated = "go_memstats_alloc_bytes_total"
	before := w.gauge(t, allocated)
	var wg sync.WaitGroup
	statuses := make([]int, users*each)
	for i := range users * each {
		wg.Go(func() { statuses[i] = clients[i%users].putAvatar(t, picture).status })
	}
	wg.Wait()
	for _, status := range statuses {
		require.Equal(t, http.StatusAccepted, status)
	}
	ratio := (w.gauge(t, allocated) - before) / float64(users*each*len(picture))
	t.Logf("the API allocates %.1f times the size of an upload", ratio)
	require.Less(t, ratio, 3.0)
	worker := start(t, t.TempDir(), s.environ, "worker", "--queues", "avatar")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		var waiting int
		require.NoError(c,
			s.store.DB().NewRaw("SELECT count(*) FROM avatars WHERE state = 'processing'").Scan(t.Context(), &waiting))
		require.Zero(c, waiting)
	}, 4*longWait, 100*time.Millisecond, "all are processed; it is a minute's work of two cores")
	for name, p := range map[string]*process{"API": api, "worker": worker} {
		peak := p.peakMemory(t)
		t.Logf("%s: %d MB", name, peak>>20)
		require.Less(t, peak, most, name)
	}
	eventually(t, func(c *assert.CollectT) { require.Len(c, s.objects(c), users*4) }, "each user has one set of files")
}

// heavyPhoto is almost as large as an upload may be.
func heavyPhoto(t testing.TB) []byte {
	t.Helper()
	picture := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	seed := uint32(1)
	for i := range picture.Y {
		seed = seed*1664525 + 1013904223
		picture.Y[i] = uint8(100 + seed>>27)
	}
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, picture, &jpeg.Options{Quality: 90}))
	t.Logf("a picture of %d kB", buf.Len()>>10)
	require.Less(t, buf.Len(), 5<<20)
	require.Greater(t, buf.Len(), 3<<20)
	return buf.Bytes()
}

var peak = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMemory is the most that the process has had.
func (p *process) peakMemory(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	require.NoError(t, err)
	found := peak.FindStringSubmatch(string(status))
	require.NotNil(t, found)
	kilobytes, err := strconv.Atoi(strings.TrimSpace(found[1]))
	require.NoError(t, err)
	return kilobytes << 10
}
