package avatar

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"

	"github.com/watchparty/watchparty/avatar/probe"
)

// Size is one of the squares that are made of every picture.
type Size struct {
	Name   string // of the file, without its ending
	Pixels int
	// Optional: left out of a picture that has fewer pixels on a side.
	Optional bool
	// Plain: a JPEG, or a PNG if anything is transparent, for clients that do not know WebP.
	Plain bool
}

// The sizes that Render makes.
var (
	Thumbnail = Size{Name: "thumbnail", Pixels: 128}
	Medium    = Size{Name: "medium", Pixels: 512}
	Plain     = Size{Name: "medium", Pixels: 512, Plain: true}
	Large     = Size{Name: "large", Pixels: 1024, Optional: true}
)

// Error says why a picture can never be rendered; its message is for the user.
type Error = probe.Error

// Rendered is a finished avatar of one size.
type Rendered struct {
	Name        string // of the file, such as medium.webp
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

// Render makes square pictures of an uploaded one: upright, in sRGB, without any metadata, one for each size in the
// order thumbnail, medium, plain, large, each exactly Pixels×Pixels. The square is the part of the picture that draws
// most attention; a picture smaller than a size that is not optional is enlarged, and of an animation the first frame
// counts.
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
	return render(data, r.limits, []Size{Thumbnail, Medium, Plain, Large})
}
