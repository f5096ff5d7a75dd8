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
	var width, height C.int
	var message *C.char
	var said C.avatar_meaning
	if bytes.HasPrefix(data, []byte("GIF8")) {
		data = withHoles(data)
	}
	if bytes.HasPrefix(data, []byte("\x89PNG")) {
		m := meaningOfPNG(data)
		said.plain, said.length = cInt(m.plain), C.size_t(len(m.profile))
		if len(m.profile) > 0 {
			var pinned runtime.Pinner
			defer pinned.Unpin()
			pinned.Pin(&m.profile[0])
			said.profile = unsafe.Pointer(&m.profile[0])
		}
	}
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
		if outputs[i].data == nil {
			continue // left out
		}
		encoded := C.GoBytes(outputs[i].data, C.int(outputs[i].length))
		C.g_free(C.gpointer(outputs[i].data))
		format := probe.WebP
		switch {
		case size.Plain && outputs[i].alpha != 0:
			format = probe.PNG
		case size.Plain:
			format = probe.JPEG
		default:
			encoded = stripWebP(encoded)
		}
		rendered = append(rendered, Rendered{
			Name: size.Name + format.Extension(), Data: encoded, ContentType: format.ContentType(),
			Width: size.Pixels, Height: size.Pixels,
		})
	}
	return rendered, nil
}

func cInt(set bool) C.int {
	if set {
		return 1
	}
	return 0
}
