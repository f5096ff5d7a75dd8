package clip

import (
	"image"
	"math"
)

// Size of the clips. Canvases are as high as whole macroblocks of the codec need.
const (
	Width  = 640
	Height = 360

	canvasHeight = (Height + 15) / 16 * 16
)

// canvas is a picture that shapes are drawn on. Their edges are hard.
type canvas struct{ *image.YCbCr }

func newCanvas() canvas {
	return canvas{image.NewYCbCr(image.Rect(0, 0, Width, canvasHeight), image.YCbCrSubsampleRatio420)}
}

func (c canvas) copyFrom(other canvas) {
	copy(c.Y, other.Y)
	copy(c.Cb, other.Cb)
	copy(c.Cr, other.Cr)
}

// ink is a colour as video has it (BT.601, 16 to 235).
type ink struct{ y, cb, cr byte }

func rgb(code uint32) ink {
	r, g, b := float64(code>>16&255), float64(code>>8&255), float64(code&255)
	return ink{
		byte(math.Round(16 + 0.25679*r + 0.50413*g + 0.09791*b)),
		byte(math.Round(128 - 0.14822*r - 0.29099*g + 0.43922*b)),
		byte(math.Round(128 + 0.43922*r - 0.36779*g - 0.07143*b)),
	}
}

func mix(a, b ink, part float64) ink {
	blend := func(x, y byte) byte { return byte(math.Round(float64(x) + (float64(y)-float64(x))*part)) }
	return ink{blend(a.y, b.y), blend(a.cb, b.cb), blend(a.cr, b.cr)}
}

// span draws a horizontal line, from x0 to before x1.
func (c canvas) span(x0, x1, y int, i ink) {
	x0, x1 = max(x0, 0), min(x1, Width)
	if y < 0 || y >= canvasHeight || x0 >= x1 {
		return
	}
	for x := x0; x < x1; x++ {
		c.Y[y*c.YStride+x] = i.y
	}
	if y%2 == 0 {
		for x := x0 / 2; x < (x1+1)/2; x++ {
			c.Cb[y/2*c.CStride+x], c.Cr[y/2*c.CStride+x] = i.cb, i.cr
		}
	}
}

func (c canvas) rect(x, y, width, height int, i ink) {
	for row := y; row < y+height; row++ {
		c.span(x, x+width, row, i)
	}
}

func (c canvas) disc(x, y, radius float64, i ink) {
	for row := int(y - radius); row <= int(y+radius); row++ {
		half := radius*radius - (float64(row)-y)*(float64(row)-y)
		if half > 0 {
			c.span(int(math.Round(x-math.Sqrt(half))), int(math.Round(x+math.Sqrt(half))), row, i)
		}
	}
}

type point struct{ x, y float64 }

// polygon fills a convex polygon.
func (c canvas) polygon(i ink, corners ...point) {
	top, bottom := math.Inf(1), math.Inf(-1)
	for _, p := range corners {
		top, bottom = min(top, p.y), max(bottom, p.y)
	}
	for row := int(math.Ceil(top)); float64(row) <= bottom; row++ {
		left, right := math.Inf(1), math.Inf(-1)
		for n, a := range corners {
			b := corners[(n+1)%len(corners)]
			if (a.y <= float64(row)) == (b.y <= float64(row)) {
				continue
			}
			x := a.x + (float64(row)-a.y)*(b.x-a.x)/(b.y-a.y)
			left, right = min(left, x), max(right, x)
		}
		if left < right {
			c.span(int(math.Round(left)), int(math.Round(right)), row, i)
		}
	}
}

// shade fills rows with what goes from one colour to the other.
func (c canvas) shade(y0, y1 int, from, to ink) {
	for y := y0; y < y1; y++ {
		c.span(0, Width, y, mix(from, to, float64(y-y0)/float64(y1-y0)))
	}
}
