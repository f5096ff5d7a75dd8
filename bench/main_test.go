package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const printout = `goos: linux
pkg: example
BenchmarkHit/bytes-2      	   18146	     66123 ns/op	    1024 B/op	      17 allocs/op
BenchmarkRegistration     	      60	        12.25 there-p50-ms	         0.9800 away/there
PASS
`

func TestRender(t *testing.T) {
	text, err := section{name: "x", about: "What it says."}.render([]byte(printout), "here and now")
	require.NoError(t, err)
	require.Equal(t, `What it says.

here and now

| | ns/op | B/op | allocs/op | there-p50-ms | away/there |
|---|---:|---:|---:|---:|---:|
| Hit/bytes-2 | 66123 | 1024 | 17 |  |  |
| Registration |  |  |  | 12.2 | 0.98 |`, text)
	_, err = section{}.render([]byte("PASS\n"), "")
	require.Error(t, err)
}

func TestDocumentKeepsOtherSections(t *testing.T) {
	text := map[string]string{sections[1].title: "second", sections[0].title: "first\n\n| | a |"}
	whole := document(text)
	require.Equal(t, text, parse(whole))
	require.Equal(t, whole, document(parse(whole)))
	require.Less(t, strings.Index(whole, "first"), strings.Index(whole, "second"))
	require.Equal(t, len(sections)-2, strings.Count(whole, unmeasured))
}

func TestRunRefusesUnknownSections(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), []string{"speed"}, os.DevNull, os.Stderr), `"speed"`)
}

// TestResultsAreTheProgrammes: what is committed is what the program writes.
func TestResultsAreTheProgrammes(t *testing.T) {
	committed, err := os.ReadFile("RESULTS.md")
	require.NoError(t, err)
	require.Equal(t, document(parse(string(committed))), string(committed))
	for _, s := range sections {
		require.Contains(t, string(committed), mark+s.title+"\n", "run: make bench")
	}
}
