// Package identicon draws the picture of a user who has none: a pattern that is symmetrical and has one colour, like
// nobody else's, made from an identifier.
package identicon

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

const (
	cells = 5 // across and down
	cell  = 80
	edge  = 56 // around the cells
	side  = cells*cell + 2*edge
)

// SVG draws the picture of id, always the same one. Nothing of id itself is in it, only what its hash decides, so
// that whatever id is, the drawing holds squares and a colour.
func SVG(id string) []byte {
	hash := sha256.Sum256([]byte(id))
	hue := binary.BigEndian.Uint16(hash[:]) % 360
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[1]d" viewBox="0 0 %[1]d %[1]d">`, side)
	fmt.Fprintf(&b, `<rect width="%[1]d" height="%[1]d" fill="hsl(%[2]d,45%%,92%%)"/><path fill="hsl(%[2]d,55%%,45%%)" d="`, side, hue)
	for y := range cells {
		for x := range cells {
			half := min(x, cells-1-x) // the right half mirrors the left one
			if hash[2+y*cells+half]&1 == 1 {
				fmt.Fprintf(&b, "M%d %dh%dv%dh-%[3]dz", edge+x*cell, edge+y*cell, cell, cell)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes()
}
