package avatar

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"

	"github.com/watchparty/watchparty/avatar/probe"
)

// Size is a square that is rendered of every picture.
type Size struct {
	Name   string // of the file, without its extension
	Pixels int
	// Optional: pictures with fewer pixels on a side do not get this size.
	Optional bool
	// Plain: a JPEG, or a PNG for a picture with transparent parts, for clients without WebP.
	Plain bool
}

// The sizes that Render makes.
var (
	Thumbnail = Size{Name: "thumbnail", Pixels: 128}
	Medium    = Size{Name: "medium", Pixels: 512}
	Plain     = Size{Name: "medium", Pixels: 512, Plain: true}
	Large     = Size{Name: "large", Pixels: 1024, Optional: true}
)

// Error says why a picture can never be rendered. Its message is for the user.
type Error = probe.Error

// Rendered is a finished avatar of one size.
type Rendered struct {
	Name        string // of the file, such as medium.webp
	Data        []byte
	ContentType string
	Width       int
	Height      int
}

// Renderer renders pictures, a limited number at a time. It is safe for concurrent use.
type Renderer struct {
	slots  *semaphore.Weighted
	limits probe.Limits
}

// New returns a Renderer that works on at most concurrency pictures at a time (at least one), each with one thread. It
// configures libvips for the whole process: see the package's documentation.
func New(concurrency int, limits probe.Limits) *Renderer {
	configureOnce()
	return &Renderer{
		slots:  semaphore.NewWeighted(int64(max(concurrency, 1))),
		limits: limits.WithDefaults(),
	}
}

// Render makes square pictures of an uploaded picture: upright, in sRGB, without metadata, one for each size in the
// order thumbnail, medium, plain, large, each exactly Pixels×Pixels. The square is the part of the picture that draws
// most attention. A picture smaller than a size that is not optional is enlarged. Of an animation it takes the first
// frame.
//
// An *Error means that this picture will never work. Every other error, the context's included, may be retried. Render
// finishes a picture that it has begun even if the context ends.
func (r *Renderer) Render(ctx context.Context, data []byte) ([]Rendered, error) {
	if _, err := probe.Check(data, r.limits); err != nil {
		return nil, err
	}
	if err := r.slots.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("avatar: wait for a slot: %w", err)
	}
	defer r.slots.Release(1)
	return render(data, r.limits, []Size{Thumbnail, Medium, Plain, Large})
}
