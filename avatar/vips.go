package avatar

/*
#cgo pkg-config: vips
#include <glib.h>
#include "render.h"
*/
import "C"

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/h2non/bimg"

	"github.com/watchparty/watchparty/avatar/probe"
)

// quality is the quality of WebP and JPEG, from 0 to 100.
const quality = 80

var configureOnce = sync.OnceFunc(func() {
	// No picture is rendered twice, and a cached operation could outlive the buffer that it reads from.
	bimg.VipsCacheSetMax(0)
	bimg.VipsCacheSetMaxMem(0)
	C.avatar_configure()
})

func render(data []byte, limits probe.Limits, sizes []Size) ([]Rendered, error) {
	outputs := make([]C.avatar_output, len(sizes))
	for i, size := range sizes {
		outputs[i].pixels, outputs[i].optional, outputs[i].plain = C.int(size.Pixels), cInt(size.Optional), cInt(size.Plain)
	}
	data, colours, err := prepare(data)
	if err != nil {
		return nil, err
	}
	said := C.avatar_meaning{plain: cInt(colours.plain), length: C.size_t(len(colours.profile))}
	if len(colours.profile) > 0 {
		var pinned runtime.Pinner
		defer pinned.Unpin()
		pinned.Pin(&colours.profile[0])
		said.profile = unsafe.Pointer(&colours.profile[0])
	}
	var width, height C.int
	var message *C.char
	status := C.avatar_render(unsafe.Pointer(&data[0]), C.size_t(len(data)),
		probe.MaxSide, C.int(limits.MaxPixels), quality,
		&said, &outputs[0], C.int(len(outputs)), &width, &height, &message)
	if status != C.AVATAR_OK {
		defer C.g_free(C.gpointer(message))
	}
	switch status {
	case C.AVATAR_OK:
	case C.AVATAR_UNREADABLE:
		return nil, fmt.Errorf("avatar: render: %w (libvips: %s)", probe.Unreadable(), C.GoString(message))
	case C.AVATAR_TOO_MANY_PIXELS:
		return nil, fmt.Errorf("avatar: render: %w", limits.CheckDimensions(int(width), int(height)))
	default:
		return nil, fmt.Errorf("avatar: encode: libvips: %s", C.GoString(message))
	}
	var rendered []Rendered
	for i, size := range sizes {
		if outputs[i].data != nil { // otherwise the size is left out
			rendered = append(rendered, takeOutput(size, outputs[i]))
		}
	}
	return rendered, nil
}

// prepare removes from a picture what libvips must not read, and returns what the picture says about its colours
// outside of what libvips reads.
func prepare(data []byte) (prepared []byte, colours meaning, err error) {
	switch {
	case bytes.HasPrefix(data, []byte("GIF8")):
		return withHoles(data), meaning{}, nil
	case bytes.HasPrefix(data, []byte("\x89PNG")):
		stripped, pixels := stripPNG(data)
		if inflatesTooFar(data, pixels) {
			return nil, meaning{}, fmt.Errorf("avatar: render: %w", probe.Unreadable())
		}
		return stripped, meaningOfPNG(data), nil
	default:
		return data, meaning{}, nil
	}
}

// takeOutput copies an output to Go's memory, and releases it.
func takeOutput(size Size, output C.avatar_output) Rendered {
	encoded := C.GoBytes(output.data, C.int(output.length))
	C.g_free(C.gpointer(output.data))
	format := probe.WebP
	switch {
	case size.Plain && output.alpha != 0:
		format = probe.PNG
	case size.Plain:
		format = probe.JPEG
	default:
		encoded = stripWebP(encoded)
	}
	return Rendered{
		Name: size.Name + format.Extension(), Data: encoded, ContentType: format.ContentType(),
		Width: size.Pixels, Height: size.Pixels,
	}
}

func cInt(set bool) C.int {
	if set {
		return 1
	}
	return 0
}
