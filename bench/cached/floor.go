package cached

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
)

// FloorVariable is an environment variable with the file of the answers. If it is set, a program that calls ServeFloor
// is a server with nothing but net/http.
const FloorVariable = "WATCHPARTY_BENCH_FLOOR"

// floorAnswers has the answers of the floor, and its address.
type floorAnswers struct {
	Address string
	Paths   map[string]floorAnswer
}

// floorAnswer is a recorded answer of the program.
type floorAnswer struct {
	Header http.Header
	Body   []byte
}

// ServeFloor answers each path as its file says. It returns only when it fails.
func ServeFloor(file string) error {
	content, err := os.ReadFile(file) //nolint:gosec // the measurement names it
	if err != nil {
		return err
	}
	var answers floorAnswers
	if err := json.Unmarshal(content, &answers); err != nil {
		return err
	}
	server := &http.Server{Addr: answers.Address, Handler: answers} //nolint:gosec // nobody else reaches it
	return server.ListenAndServe()
}

// ServeHTTP writes an answer.
func (f floorAnswers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, ok := f.Paths[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	h := w.Header()
	for name, values := range answer.Header {
		h[name] = values
	}
	h["Content-Length"] = []string{strconv.Itoa(len(answer.Body))}
	_, _ = w.Write(answer.Body)
}
