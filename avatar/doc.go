// Package avatar turns a picture that a user uploaded into the square images that front-ends show.
//
// cgo stops here. The API, which must not depend on libvips, checks uploads with package avatar/probe; the worker
// renders them with a Renderer, which checks them again.
//
// # bimg, and what is beneath it
//
// libvips comes in through bimg, which initialises it and gives access to its cache and its memory counters. The
// rendering itself is a page of C over libvips' own thumbnailer (render.c), because bimg v1.1.9 cannot do it well:
//
//   - it encodes an EXIF-rotated JPEG anew at full size before it resizes: five times the CPU time and memory;
//   - it has one output for one decode, and opens every picture for random access, which unpacks all of a PNG;
//   - it cannot be told to fail on a truncated picture, and renders the missing part grey;
//   - it resizes with transparent pixels' colours bleeding into their neighbours (no premultiplication);
//   - several of its error paths leak the decoded image, which matters when the input is hostile.
//
// # One picture's way
//
//  1. probe.Check looks at size, magic bytes and header dimensions, in Go.
//  2. libvips reads the header, and its dimensions are checked once more: its memory depends on what it makes of
//     the file, and two parsers can disagree on a hostile one. A PNG loses its texts and profiles before that, and one
//     whose pixels inflate to much more than its dimensions say is refused, since libvips inflates everything.
//  3. One decode, shrinking on load where the format can (JPEG, WebP), to the largest square wanted: resized, then
//     turned upright, then cropped to where the attention goes, then converted to sRGB, so that it looks as Chromium
//     draws it: by the embedded profile, by what a PNG's cICP, gAMA and cHRM say (package icc makes a profile of that),
//     and CMYK by its inks. What the first frame of a GIF leaves open is transparent. A picture smaller than that
//     square is only cropped, so that a picture of 1×20000 is never blown up on the way.
//  4. Each size is resized from that square in memory and saved as WebP, and one as JPEG, or as PNG when anything is
//     transparent. What libvips adds to the pixels of WebP is taken off in Go, since libvips 8.14.1, which is Debian's,
//     ignores the wish to strip it there: bimg's StripMetadata would publish where a photo was taken.
//
// # For the whole process
//
// New turns libvips' cache off, sets it to one thread for each picture and blocks all of its loaders but JPEG,
// PNG, WebP and GIF. RequiredEnv belongs in the environment before the process starts.
//
// A running decode cannot be interrupted. The limits on bytes, on pixels and on a progressive JPEG's scans bound
// what it takes: some 230 ms of CPU and 60 MB for all sizes of a photo of 12 megapixels; at the default limits,
// measured at 49 megapixels with libvips 8.14.1, at worst 3.6 s and 0.5 GB (an interlaced PNG of 16 bits with alpha;
// 0.3 GB for a progressive JPEG or a GIF). A worker's memory should allow that once for each picture it renders at a
// time.
package avatar
