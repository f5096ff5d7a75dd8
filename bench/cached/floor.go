package cached

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
)

// FloorVariable makes a program that calls ServeFloor a server with nothing but net/http. It has the file of the
// answers.
const FloorVariable = "WATCHPARTY_BENCH_FLOOR"

// floorAnswers are what the floor answers with, at its address.
type floorAnswers struct {
	Address string
	Paths   map[string]floorAnswer
}

// floorAnswer is an answer that the program gave once.
type floorAnswer struct {
	Header http.Header
	Body   []byte
}

// ServeFloor answers each path with what its file says, and returns only an error.
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
