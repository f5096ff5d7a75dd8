package api

import (
	"bytes"
	"io"
	"testing"
)

// BenchmarkUpload says how much memory one picture of 4 MB takes on its way through the API.
func BenchmarkUpload(b *testing.B) {
	w := setup(b)
	alice := w.user(b, "alice")
	r := w.upload(b, alice.token, part{"avatar", "me.png", "image/png", append(picture(8, 8), make([]byte, 4<<20)...)})
	form, err := io.ReadAll(r.Body)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(bytes.NewReader(form))
		if a := w.serve(b, r); a.status != 202 {
			b.Fatal(a)
		}
	}
}
