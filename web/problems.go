package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

// Problem explains a code of the API's errors.
type Problem struct {
	Code   string
	Status int    // HTTP status
	Title  string // what is wrong, without a period
	Cause  string
	Remedy string // what the caller can do
}

// ProblemsPage serves the page at Problems. Each problem is at the fragment of its code. Text between backticks is
// shown as code.
func ProblemsPage(problems []Problem) (http.HandlerFunc, error) {
	content, err := template.New("problems.html").Funcs(template.FuncMap{"code": code}).ParseFS(files, "problems.html")
	if err != nil {
		return nil, fmt.Errorf("web: read the page of problems: %w", err)
	}
	var page bytes.Buffer
	if err := content.Execute(&page, problems); err != nil {
		return nil, fmt.Errorf("web: make the page of problems: %w", err)
	}
	return serve(page.String(), policy), nil
}

// Failure is why a page is not shown.
type Failure struct {
	Title  string
	Detail string // empty if the title says all
	Again  string // the address of the page, if it makes sense to try again
}

// failurePage is the page of a failure.
var failurePage = sync.OnceValue(func() *template.Template {
	content, err := files.ReadFile("problem.html")
	if err != nil {
		panic(err) // what is embedded is wrong
	}
	return template.Must(template.New("").Parse(withHashes(string(content))))
})

// WriteFailure answers with a page for people that says why a page is not shown.
func WriteFailure(w http.ResponseWriter, status int, f Failure) error {
	var page bytes.Buffer
	if err := failurePage().Execute(&page, f); err != nil {
		return fmt.Errorf("web: make the page of a failure: %w", err)
	}
	protect(w.Header(), policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := page.WriteTo(w); err != nil {
		return fmt.Errorf("web: write the page of a failure: %w", err)
	}
	return nil
}

func code(text string) template.HTML {
	var out strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = template.HTMLEscapeString(part)
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		out.WriteString(part)
	}
	return template.HTML(out.String()) //nolint:gosec // each part is escaped
}
