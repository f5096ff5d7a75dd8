// Package identicon draws the picture of a user without an avatar: a symmetrical pattern in one colour, made from an
// identifier.
package identicon

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

const (
	cells = 5 // cells across and down
	cell  = 80
	edge  = 56 // pixels around the cells
	side  = cells*cell + 2*edge
)

// drawing is what the hash of an identifier decides: squares and a colour. It does not contain the identifier.
type drawing struct {
	hue    int // in degrees
	filled [cells][cells]bool
}

func draw(id string) (d drawing) {
	hash := sha256.Sum256([]byte(id))
	d.hue = int(binary.BigEndian.Uint16(hash[:]) % 360)
	for y := range cells {
		for x := range cells {
			half := min(x, cells-1-x) // the right half mirrors the left one
			d.filled[y][x] = hash[2+y*cells+half]&1 == 1
		}
	}
	return d
}

// each calls square with the upper left corner of every filled cell.
func (d drawing) each(square func(x, y int)) {
	for y := range cells {
		for x := range cells {
			if d.filled[y][x] {
				square(edge+x*cell, edge+y*cell)
			}
		}
	}
}

// SVG draws the picture of id. It is always the same.
func SVG(id string) []byte {
	d := draw(id)
	var b bytes.Buffer
	fmt.Fprintf(
		&b,
		`<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[1]d" viewBox="0 0 %[1]d %[1]d">`,
		side,
	)
	fmt.Fprintf(
		&b,
		`<rect width="%[1]d" height="%[1]d" fill="hsl(%[2]d,45%%,92%%)"/><path fill="hsl(%[2]d,55%%,45%%)" d="`,
		side,
		d.hue,
	)
	d.each(func(x, y int) { fmt.Fprintf(&b, "M%d %dh%dv%dh-%[3]dz", x, y, cell, cell) })
	b.WriteString(`"/></svg>`)
	return b.Bytes()
}

// PNG draws the picture of SVG, for clients without SVG.
func PNG(id string) ([]byte, error) {
	d := draw(id)
	picture := image.NewPaletted(
		image.Rect(0, 0, side, side), color.Palette{hsl(d.hue, 0.45, 0.92), hsl(d.hue, 0.55, 0.45)},
	)
	d.each(func(x, y int) {
		for row := y; row < y+cell; row++ {
			for column := x; column < x+cell; column++ {
				picture.SetColorIndex(column, row, 1)
			}
		}
	})
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("identicon: %w", err)
	}
	return b.Bytes(), nil
}

// hsl converts a colour of CSS' hsl(): https://www.w3.org/TR/css-color-4/#hsl-to-rgb
func hsl(hue int, saturation, lightness float64) color.Color {
	channel := func(n float64) uint8 {
		k := math.Mod(n+float64(hue)/30, 12)
		a := saturation * min(lightness, 1-lightness)
		return uint8(math.Round(255 * (lightness - a*max(-1, min(k-3, 9-k, 1)))))
	}
	return color.RGBA{R: channel(0), G: channel(8), B: channel(4), A: 255}
}
