package vp8

import (
	"bytes"
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	decoder "golang.org/x/image/vp8"
)

// drawing is a picture with flat parts, edges, and noise.
func drawing(width, height int, random *rand.Rand) *image.YCbCr {
	picture := image.NewYCbCr(image.Rect(0, 0, (width+15)/16*16, (height+15)/16*16), image.YCbCrSubsampleRatio420)
	for i := range picture.Y {
		x, y := i%picture.YStride, i/picture.YStride
		switch {
		case x > 3*y:
			picture.Y[i] = 235
		case x > y:
			picture.Y[i] = byte(16 + random.IntN(220))
		default:
			picture.Y[i] = byte(x + y)
		}
	}
	for i := range picture.Cb {
		picture.Cb[i], picture.Cr[i] = byte(i), byte(i/3)
	}
	return picture
}

// TestKeyFrame: the decoder sees what the encoder thinks that it sees, and that is near the picture.
func TestKeyFrame(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, index := range []int{0, 20, 127} {
		for _, size := range []image.Point{{16, 16}, {100, 50}, {320, 180}} {
			picture := drawing(size.X, size.Y, random)
			e := NewEncoder(size.X, size.Y, index)
			encoded := e.Encode(picture, true)
			d := decoder.NewDecoder()
			d.Init(bytes.NewReader(encoded), len(encoded))
			header, err := d.DecodeFrameHeader()
			require.NoError(t, err)
			require.True(t, header.KeyFrame)
			require.Equal(t, size, image.Pt(header.Width, header.Height))
			decoded, err := d.DecodeFrame()
			require.NoError(t, err)
			var sum, n float64
			for y := range size.Y {
				for x := range size.X {
					at := y*picture.YStride + x
					require.Equal(t, e.decoded.Y[at], decoded.Y[y*decoded.YStride+x], "luma at %d, %d", x, y)
					difference := float64(picture.Y[at]) - float64(e.decoded.Y[at])
					sum, n = sum+difference*difference, n+1
				}
			}
			for y := range size.Y / 2 {
				for x := range size.X / 2 {
					at, there := y*picture.CStride+x, y*decoded.CStride+x
					require.Equal(t, e.decoded.Cb[at], decoded.Cb[there])
					require.Equal(t, e.decoded.Cr[at], decoded.Cr[there])
				}
			}
			if index == 0 {
				require.Less(t, sum/n, 4.0, "the mean square of the error at the best quality")
			}
		}
	}
}

// TestNextFrames: what does not change costs nearly nothing, and what changes comes through.
func TestNextFrames(t *testing.T) {
	picture := drawing(320, 180, rand.New(rand.NewPCG(1, 2)))
	e := NewEncoder(320, 180, 0)
	first := e.Encode(picture, true)
	same := e.Encode(picture, false)
	require.Less(t, len(same), 40)
	require.Less(t, len(same), len(first)/20)
	before := bytes.Clone(e.decoded.Y)
	for y := 32; y < 48; y++ {
		for x := 64; x < 96; x++ {
			picture.Y[y*picture.YStride+x] = 255
		}
	}
	changed := e.Encode(picture, false)
	require.Greater(t, len(changed), len(same))
	for i, value := range e.decoded.Y {
		if x, y := i%picture.YStride, i/picture.YStride; x >= 64 && x < 96 && y >= 32 && y < 48 {
			require.InDelta(t, 255, value, 4)
		} else {
			require.Equal(t, before[i], value)
		}
	}
}
