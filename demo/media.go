package demo

import (
	"bytes"
	"fmt"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/watchparty/watchparty/demo/clip"
)

// MediaPath is below which Media serves.
const MediaPath = "/demo/"

// Media serves the clips of the demo's movies and their posters. Clips are made when they are first asked for.
func Media() (http.Handler, error) {
	movies, err := Movies("")
	if err != nil {
		return nil, err
	}
	files := map[string]func() []byte{}
	for _, m := range movies {
		content := posterOf(m.Title).draw(m.Title, m.Year)
		files[m.PosterURL] = func() []byte { return content }
	}
	for _, c := range clip.Clips() {
		files[clipPath(c.Name)] = sync.OnceValue(c.Encode)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		types := map[string]string{".svg": "image/svg+xml", ".webm": "video/webm"}
		w.Header().Set("Content-Type", types[path.Ext(r.URL.Path)])
		w.Header().Set("Cache-Control", "public, max-age=3600")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file()))
	}), nil
}

func clipPath(name string) string { return fmt.Sprint(MediaPath, "clips/", name, ".webm") }

func posterPath(title string) string { return fmt.Sprint(MediaPath, "posters/", slug(title), ".svg") }
