package avatar

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"

	"github.com/watchparty/watchparty/avatar/probe"
)

// Size names one of the squares that are made of every picture.
type Size struct {
	Name   string
	Pixels int
}

// The sizes that Render makes, in this order.
var (
	Thumbnail = Size{Name: "thumbnail", Pixels: 128}
	Medium    = Size{Name: "medium", Pixels: 512}
)

// ContentType is what every rendered picture is.
const ContentType = "image/webp"

// Error says why a picture can never be rendered; its message is for the user.
type Error = probe.Error

// Rendered is a finished avatar of one size.
type Rendered struct {
	Name        string // the Size's
	Data        []byte
	ContentType string
	Width       int
	Height      int
}

// Renderer renders pictures, a bounded number at a time. It is safe for concurrent use.
type Renderer struct {
	slots  *semaphore.Weighted
	limits probe.Limits
}

// New returns a Renderer that works on at most concurrency pictures at a time (at least one), each with one
// thread. It sets libvips up for the whole process: see the package's documentation.
func New(concurrency int, limits probe.Limits) *Renderer {
	configureOnce()
	return &Renderer{
		slots:  semaphore.NewWeighted(int64(max(concurrency, 1))),
		limits: limits.WithDefaults(),
	}
}

// Render makes square WebP pictures of an uploaded one: upright, in sRGB, without any metadata, one for each
// size, each exactly Pixels×Pixels. The square is the part of the picture that draws most attention; a picture
// smaller than a size is enlarged, and of an animation the first frame counts.
//
// An *Error means that this picture will never work. Any other error, the context's included, may be retried.
// A picture that has been started is finished even if the context ends meanwhile.
func (r *Renderer) Render(ctx context.Context, data []byte) ([]Rendered, error) {
	if _, err := probe.Check(data, r.limits); err != nil {
		return nil, err
	}
	if err := r.slots.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("avatar: wait for a slot: %w", err)
	}
	defer r.slots.Release(1)
	return render(data, r.limits, []Size{Thumbnail, Medium})
}
