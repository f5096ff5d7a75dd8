package worker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/avatar"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/workflows/job"
)

// darkroom renders a picture when the test lets it. What it is given names the picture.
type darkroom struct {
	begun chan string
	let   chan struct{}
}

func newDarkroom() *darkroom {
	return &darkroom{begun: make(chan string, 100), let: make(chan struct{})}
}

func (d *darkroom) Render(ctx context.Context, data []byte) ([]avatar.Rendered, error) {
	d.begun <- string(data)
	select {
	case <-d.let:
		return []avatar.Rendered{{Name: watchparty.ThumbnailFile, ContentType: "image/webp", Data: data}}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// requireBegun wants a picture to be the next one that is rendered.
func (d *darkroom) requireBegun(t *testing.T, name string) {
	t.Helper()
	select {
	case begun := <-d.begun:
		require.Equal(t, name, begun)
	case <-time.After(patience):
		t.Fatalf("%s is not rendered", name)
	}
}

// createUpload does what the API and the relay do with a user's next picture, and returns the workflow's ID.
func (p *workerFixture) createUpload(user watchparty.User) string {
	p.t.Helper()
	version, err := p.store.NextAvatarVersion(p.t.Context(), user.ID)
	require.NoError(p.t, err)
	original := watchparty.Avatar{UserID: user.ID, Version: version}.OriginalObject()
	require.NoError(
		p.t, p.bucket.WriteAll(p.t.Context(), original, fmt.Appendf(nil, "%s %d", user.DisplayName, version), nil),
	)
	_, err = p.store.CreateAvatar(p.t.Context(), user.ID, version)
	require.NoError(p.t, err)
	event := job.AvatarEvent(job.AvatarInput{UserID: user.ID, Version: version})
	require.NoError(p.t, outbox.Temporal(p.client)(p.t.Context(), event))
	return event.WorkflowID
}

// oneRenderer runs a worker that renders one picture at a time.
func (p *workerFixture) oneRenderer() *darkroom {
	d := newDarkroom()
	p.Avatar.Renderer = d
	p.Config.Avatar.Concurrency = 1
	p.startWorker(p.t, job.TaskQueueAvatar)
	p.wait(p.t, logRuns)
	return d
}

// TestPublishingGoesBeforeRendering: what is rendered is published, and its files are tidied up, while the next picture
// has the only place.
func TestPublishingGoesBeforeRendering(t *testing.T) {
	p := newWorkerFixture(t, "127.0.0.1", 1)
	d := p.oneRenderer()
	first, _ := p.createUser("first")
	second, _ := p.createUser("second")
	firstID := p.createUpload(first)
	d.requireBegun(t, "Dear first 1")
	secondID := p.createUpload(second)
	p.awaitActivity(secondID)
	d.let <- struct{}{}
	d.requireBegun(t, "Dear second 1")
	var result job.AvatarResult
	p.requireResult(firstID, "", &result)
	require.Equal(t, watchparty.AvatarReady, result.State)
	d.let <- struct{}{}
	p.requireResult(secondID, "", &result)
}

// TestAccountsTakeTurns: of many pictures of one account that wait, only the newest is rendered. It comes to its turn
// once, and another account's picture after it.
func TestAccountsTakeTurns(t *testing.T) {
	p := newWorkerFixture(t, "127.0.0.1", 1)
	d := p.oneRenderer()
	many, _ := p.createUser("many")
	single, _ := p.createUser("single")
	ids := []string{p.createUpload(many)}
	d.requireBegun(t, "Dear many 1")
	for range 5 {
		ids = append(ids, p.createUpload(many))
		p.awaitActivity(ids[len(ids)-1])
	}
	ids = append(ids, p.createUpload(single))
	p.awaitActivity(ids[len(ids)-1])
	close(d.let)
	d.requireBegun(t, "Dear many 6")
	d.requireBegun(t, "Dear single 1")
	var states []watchparty.AvatarState
	for _, id := range ids {
		var result job.AvatarResult
		p.requireResult(id, "", &result)
		states = append(states, result.State)
	}
	const ready, overtaken = watchparty.AvatarReady, watchparty.AvatarSuperseded
	require.Equal(t, []watchparty.AvatarState{ready, overtaken, overtaken, overtaken, overtaken, ready, ready}, states)
	require.Empty(t, d.begun, "no other picture was rendered")
}
