// Package vp8 encodes drawn pictures as VP8 (RFC 6386): key frames by flat prediction, the others as what differs from
// the frame before, at the same place. It has no motion, no filter and no rate control, which drawings with few moving
// parts do not need.
package vp8
