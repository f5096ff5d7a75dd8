package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strings"
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
