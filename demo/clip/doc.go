// Package clip makes the demo's clips: a minute each of a drawn scene with a tone, as WebM. Each frame shows its
// number, in digits for people and in bars for programs, so that a test can read from two browsers' pixels how far
// apart they are.
package clip
