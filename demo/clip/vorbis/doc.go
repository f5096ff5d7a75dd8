// Package vorbis encodes quiet tones as Vorbis I: one channel, one size of blocks, a flat floor, and codebooks that are
// made for what is encoded. Section numbers are those of the Vorbis I specification.
package vorbis
