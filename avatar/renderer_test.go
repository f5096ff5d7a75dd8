package avatar

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	_ "image/png"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/h2non/bimg"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/webp"

	"github.com/watchparty/watchparty/avatar/internal/pictures"
	"github.com/watchparty/watchparty/avatar/probe"
)

func TestRenderKeepsMemoryLow(t *testing.T) {
	// Tracked by libvips: unpacked pictures, which is what grows when a picture is rotated or opened the wrong way.
	const limit = 24 << 20
	m := image.NewGray(image.Rect(0, 0, 4000, 3000))
	for name, data := range map[string][]byte{
		"upright": pictures.JPEG(m),
		"rotated": pictures.JPEG(m, pictures.Exif(binary.BigEndian, 6)),
		"png":     pictures.BlankPNG(4000, 3000),
	} {
		renderImages(t, data)
		require.Less(t, bimg.VipsMemory().MemoryHighwater, int64(limit), name)
	}
}

func TestRenderReleasesEverything(t *testing.T) {
	r := New(2, probe.Limits{})
	whole := pictures.JPEG(pictures.Quadrants(900, 600), pictures.Exif(binary.BigEndian, 5))
	for range 3 {
		_, err := r.Render(t.Context(), whole)
		require.NoError(t, err)
		_, err = r.Render(t.Context(), whole[:len(whole)/2])
		require.Error(t, err)
	}
	// After a failure, libvips' own threads let go of their buffers a little later.
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		memory := bimg.VipsMemory()
		require.Zero(c, memory.Memory)
		require.Zero(c, memory.Allocations)
	}, patience, time.Millisecond)
}

func TestRenderConcurrently(t *testing.T) {
	r := New(2, probe.Limits{})
	red := pictures.PNG(pictures.Solid(600, 400, pictures.Red))
	blue := pictures.JPEG(pictures.Solid(400, 600, pictures.Blue))
	broken := blue[:len(blue)/2]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for data, c := range map[string]color.NRGBA{string(red): pictures.Red, string(blue): pictures.Blue} {
				rendered, err := r.Render(t.Context(), []byte(data))
				if assert.NoError(t, err) {
					m, err := webp.Decode(bytes.NewReader(rendered[1].Data))
					assert.NoError(t, err)
					got := pixel(m, 256, 256)
					assert.InDelta(t, c.R, got.R, 8)
					assert.InDelta(t, c.B, got.B, 8)
				}
			}
			_, err := r.Render(t.Context(), broken)
			assert.Error(t, err)
		})
	}
	wg.Wait()
}

func TestRenderWaitsForASlot(t *testing.T) {
	data := pictures.PNG(pictures.Solid(8, 8, pictures.Red))
	r := New(1, probe.Limits{})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		require.True(t, r.slots.TryAcquire(1), "someone else is rendering")
		var rendered []Rendered
		var err error
		done := false
		go func() {
			rendered, err = r.Render(ctx, data)
			done = true
		}()
		synctest.Wait()
		require.False(t, done, "it waits")

		cancel()
		synctest.Wait()
		require.True(t, done)
		require.Nil(t, rendered)
		require.ErrorIs(t, err, context.Canceled)
		var refused *Error
		require.NotErrorAs(t, err, &refused)
		r.slots.Release(1)

		_, err = r.Render(ctx, data)
		require.ErrorIs(t, err, context.Canceled, "a slot is free, yet nobody wants the picture")
	})
	_, err := r.Render(t.Context(), data)
	require.NoError(t, err)
	require.True(t, r.slots.TryAcquire(1), "the slot came back")
}

func TestEnvironment(t *testing.T) {
	env, changed := Environment([]string{"PATH=/bin", "MALLOC_ARENA_MAX=4"})
	require.True(t, changed)
	require.ElementsMatch(t, []string{"PATH=/bin", "MALLOC_ARENA_MAX=4", "VIPS_BLOCK_UNTRUSTED=1"}, env)
	again, changed := Environment(env)
	require.False(t, changed)
	require.Equal(t, env, again)
}
